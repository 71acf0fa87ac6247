import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { packageRoot } from '../src/assets.ts'
import { homeIn, runCli } from './helpers/cli.ts'
import { freePort } from './helpers/cluster.ts'
import { tempFolder } from './helpers/temp.ts'

test('examples/ci.sh runs against a real cluster, and its exit codes say what happened', async () => {
  const folder = tempFolder()
  const port = String(await freePort())
  onTestFinished(
    async () => void (await runCli(['cluster', 'down', '--purge', '--confirm', 'local'], { folder })),
  )
  const run = await script('ci.sh', folder, port)
  const masked = run.stdout
    .replaceAll(folder, 'FOLDER')
    .replaceAll(port, 'PORT')
    .replace(/"seconds":[\d.]+/, '"seconds":N')
    .replace(/\(\d+ passages\)/, '(N passages)')
  expect(`exit ${run.code}\n${masked}`, run.stderr).toMatchInlineSnapshot(`
    "exit 0
    {"event":"step","says":"Starting the services"}
    {"event":"step","says":"Saving an API key"}
    {"event":"step","says":"Asking one question through the gateway"}
    {"event":"done","changed":true,"url":"http://127.0.0.1:PORT","keyFile":"FOLDER/config/llmagentos/local.key","engine":"extractive","seconds":N}
    release-notes: 1 added (N passages).
    engine: extractive
    source: README.md
    task: done
    unknown model: exit 2
    what the key may not do: exit 4
    The cluster is stopped; everything it stored is removed.
    no cluster: exit 4
    "
  `)
  expect(run.stderr).not.toMatch(/lao_[a-z0-9]{16}_/)
  expect(
    readdirSync(folder).filter(f => !['config', 'data', 'state', 'run', 'cache', 'tmp'].includes(f)),
  ).toEqual([])
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  expect(existsSync(join(folder, 'data/llmagentos/local'))).toBe(false)
})

async function script(name: string, folder: string, port: string) {
  mkdirSync(join(folder, 'tmp'))
  const child = spawn('bash', [join(packageRoot(), 'examples', name)], {
    cwd: folder,
    env: {
      PATH: `${join(process.execPath, '..')}:/usr/bin:/bin`,
      ...homeIn(folder),
      TMPDIR: join(folder, 'tmp'),
      OLLAMA_HOST: 'http://127.0.0.1:1',
      PORT: port,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', text => {
      out[stream] += text
    })
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...out }
}
