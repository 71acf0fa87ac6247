import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { silent } from '../../../src/log.ts'
import { Metrics } from '../../../src/runtime/metrics.ts'
import { buildApp } from '../../../src/runtime/server/app.ts'
import { registerObjects } from '../../../src/runtime/services/data/objects/index.ts'
import { registerSessions } from '../../../src/runtime/services/data/sessions/index.ts'
import { Turns } from '../../../src/runtime/services/data/sessions/turns.ts'
import { openEmbedded } from '../../../src/runtime/services/data/store/embedded.ts'
import { type CliRun, runCli } from '../../helpers/cli.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** The real routes of data on a loopback port, straight behind the real commands; a key is the user's name here: a stand-in for gateway and auth. */
export async function dataCluster() {
  const folder = tempFolder()
  const store = await openEmbedded(join(folder, 'store'))
  const app = buildApp({ log: silent, metrics: new Metrics('data') })
  const verify = async (user: string) => ({
    user,
    key: 'k',
    role: 'user',
    scopes: ['data:read', 'data:write'],
  })
  const deps = { verify } as unknown as Parameters<typeof registerObjects>[1]
  registerObjects(app, deps, store)
  registerSessions(app, deps, store)
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(async () => {
    await app.close()
    await store.close()
  })
  writeFileSync(join(folder, 'key'), 'ann\n')
  const { port } = app.server.address() as AddressInfo
  const env = { LLMAGENTOS_URL: `http://127.0.0.1:${port}`, LLMAGENTOS_KEY_FILE: join(folder, 'key') }
  const cli = (words: string[], o: { stdin?: string | Buffer; tty?: boolean } = {}): Promise<CliRun> =>
    runCli(words, { ...o, env, folder })
  return { folder, cli, turns: new Turns(store, 'ann') }
}
