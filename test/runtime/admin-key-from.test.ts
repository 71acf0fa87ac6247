import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KEY_PATTERN } from '../../src/contracts/auth.ts'
import { EXIT } from '../../src/errors.ts'
import { waitFor } from '../../src/retry.ts'
import { adminKeyFrom } from '../../src/runtime/admin-key-from.ts'
import { runCli } from '../helpers/cli.ts'
import { Nodes } from './tls/nodes.ts'

const signal = AbortSignal.timeout(60_000)

test('the operator of a node gets an admin key over mutual TLS, with the credentials of the unit', async () => {
  const nodes = await new Nodes().place()
  const folder = join(nodes.authority.ca, '..')
  const env = { CREDENTIALS_DIRECTORY: folder }
  nodes.tls.auth = { cert: 'credential:auth.crt', key: 'credential:auth.key', ca: 'credential:ca.crt' }
  await nodes.start(['data'])
  const file = join(nodes.folder, `${await nodes.start(['auth'], { env })}.json`)
  const key = await waitFor({ says: 'an admin key', deadlineMs: 20_000 }, () =>
    adminKeyFrom({ file, env, signal }),
  )
  expect(key.reveal()).toMatch(KEY_PATTERN)
  const printed = await runCli(['admin-key', '--config', file], { env })
  expect(printed).toMatchObject({ code: 0, stderr: '' })
  expect(printed.stdout.trim()).toMatch(KEY_PATTERN)

  const without = await runCli(['admin-key', '--config', file])
  expect(without).toMatchObject({ code: EXIT.usage, stdout: '' })
  expect(without.stderr).toContain('CREDENTIALS_DIRECTORY')
})

test('under the certificate of a gateway nobody gets an admin key', async () => {
  const nodes = await new Nodes().place()
  const file = join(nodes.folder, `${await nodes.start(['data', 'auth'])}.json`)
  const config = JSON.parse(readFileSync(file, 'utf8'))
  config.services[1].config.tls = nodes.tls.gateway
  const foreign = join(nodes.folder, 'foreign.json')
  writeFileSync(foreign, JSON.stringify(config))
  await expect(adminKeyFrom({ file: foreign, env: {}, signal })).rejects.toMatchObject({
    exit: EXIT.preflight,
    why: expect.stringContaining('not auth'),
  })
  // Without auth in the file there is nobody to ask as.
  config.services.pop()
  writeFileSync(foreign, JSON.stringify(config))
  await expect(adminKeyFrom({ file: foreign, env: {}, signal })).rejects.toMatchObject({ exit: EXIT.usage })
})
