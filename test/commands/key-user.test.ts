import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bootstrapKey, KEY_PATTERN } from '../../src/contracts/auth.ts'
import { waitFor } from '../../src/retry.ts'
import { ownHop } from '../../src/runtime/hop.ts'
import { Calls } from '../../src/runtime/transport.ts'
import { runCli } from '../helpers/cli.ts'
import { Processes } from '../helpers/processes.ts'

/** A cluster of real processes, and the command line with the key of an admin. */
async function cluster() {
  const processes = await new Processes().start(['data', 'auth', 'gateway'])
  const calls = new Calls('auth', processes.services)
  const { key } = await waitFor({ says: 'an admin key', deadlineMs: 20_000 }, () =>
    calls.call(bootstrapKey, ownHop(), { body: { name: 'test' } }),
  )
  await calls.close()
  const cli = (keyText: string) => {
    const file = join(processes.folder, `${KEY_PATTERN.exec(keyText)![1]}.key`)
    writeFileSync(file, keyText)
    const env = { LLMAGENTOS_URL: processes.url, LLMAGENTOS_KEY_FILE: file }
    return (...args: string[]) => runCli(args, { env, folder: processes.folder })
  }
  return { folder: processes.folder, cli, admin: cli(key) }
}

test('users and keys are created, listed, changed and ended from the command line', async () => {
  const { admin, cli, folder } = await cluster()
  expect(await admin('user', 'create', 'bea', '--role', 'operator')).toMatchObject({
    code: 0,
    stdout: 'Created bea, operator.\n',
  })
  expect(await admin('user', 'create', 'bea')).toMatchObject({ code: 2, stdout: '' })

  const made = await admin('key', 'create', 'laptop', '--user', 'bea', '--rpm', '600', '--expires', '30d')
  expect(made.code).toBe(0)
  expect(made.stdout.trim()).toMatch(KEY_PATTERN)
  expect(made.stderr).not.toContain(made.stdout.trim())
  const bea = cli(made.stdout.trim())
  const id = KEY_PATTERN.exec(made.stdout.trim())![1]!

  const listed = await bea('key', 'list')
  expect(listed.stdout.split('\n')[1]).toMatch(
    new RegExp(`^${id}\\s+laptop\\s+bea\\s+.*600 req/min\\s+active`),
  )
  expect(listed.stdout).not.toContain('admin')
  expect(await bea('user', 'list')).toMatchObject({ code: 4, stdout: '' })
  expect(await bea('key', 'create', 'more', '--rpm', '601')).toMatchObject({ code: 4, stdout: '' })

  expect(await admin('user', 'set-role', 'bea', 'viewer')).toMatchObject({ stdout: 'bea is now viewer.\n' })
  const users = JSON.parse((await admin('user', 'list', '--json')).stdout)
  expect(users.users).toMatchObject([
    { name: 'admin', role: 'admin' },
    { name: 'bea', role: 'viewer' },
  ])

  const saved = await admin(
    'key',
    'create',
    'ci',
    '--scope',
    'ask',
    '--scope',
    'keys',
    '--save',
    'ci.key',
    '--json',
  )
  expect(JSON.parse(saved.stdout)).toMatchObject({ info: { name: 'ci', scopes: ['ask', 'keys'] } })
  expect(saved.stdout + saved.stderr).not.toMatch(/lao_[a-z0-9]{16}_/)
  const file = join(folder, 'ci.key')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const ci = readFileSync(file, 'utf8').trim()
  expect(await admin('key', 'create', 'ci2', '--save', 'ci.key')).toMatchObject({ code: 2, stdout: '' })
  expect(readFileSync(file, 'utf8').trim()).toBe(ci)
  expect((await admin('key', 'list', '--json')).stdout).not.toContain('ci2')

  const ciId = KEY_PATTERN.exec(ci)![1]!
  expect(await admin('key', 'revoke', ciId)).toMatchObject({ code: 0, stdout: `Revoked ${ciId}.\n` })
  await waitFor({ says: 'the key to be refused', deadlineMs: 10_000 }, async () => {
    const { code } = await cli(ci)('key', 'list')
    return code === 4 ? true : undefined
  })
  expect((await admin('key', 'list')).stdout).not.toContain(ciId)
  expect((await admin('key', 'list', '--all')).stdout).toMatch(new RegExp(`${ciId}.*revoked`))
  expect(await admin('key', 'revoke', 'a'.repeat(16))).toMatchObject({ code: 2, stdout: '' })

  expect(await admin('user', 'rm', 'bea')).toMatchObject({ code: 9, stdout: '' })
  expect(await admin('user', 'rm', 'bea', '--confirm', 'ada')).toMatchObject({ code: 9, stdout: '' })
  expect(await admin('user', 'rm', 'bea', '--confirm', 'bea')).toMatchObject({
    code: 0,
    stdout: 'Removed bea; 1 of its keys ended with it.\n',
  })
  const last = await admin('user', 'rm', 'admin', '--confirm', 'admin')
  expect(last.code).toBe(2)
  expect(last.stderr).toContain('last admin')
}, 60_000)

test.each([
  [['key', 'create'], 'missing required argument'],
  [['key', 'create', 'x', '--scope', 'everything'], 'There is no scope everything.'],
  [['key', 'create', 'x', '--expires', 'soon'], 'soon is not a time'],
  [['key', 'create', 'x', '--expires', '0d'], '0d is not a time'],
  [['key', 'create', 'x', '--expires', '9999999d'], 'is not a time'],
  [['key', 'create', 'x', '--rpm', '-1'], 'is not a whole number'],
  [['user', 'create', 'x', '--role', 'root'], 'root'],
  [['user', 'set-role', 'x'], 'missing required argument'],
  [['user', 'set-role', 'x', 'root'], 'root'],
])('%j is a usage error that says why', async (args, says) => {
  const run = await runCli(args)
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toContain(says)
})
