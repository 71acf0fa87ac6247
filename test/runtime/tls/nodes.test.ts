import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { fetchRecords } from '../../../src/contracts/auth-records.ts'
import { listRecords } from '../../../src/contracts/store.ts'
import { ownHop } from '../../../src/runtime/hop.ts'
import { runCli } from '../../helpers/cli.ts'
import { exchanged } from '../revoking.ts'
import { Nodes } from './nodes.ts'

test('two processes over mutual TLS answer a question that came in through the gateway over TLS', async () => {
  const nodes = await new Nodes().place()
  await nodes.start(['data', 'auth'])
  await nodes.start(['worker', 'llm', 'task', 'executor', 'gateway'])
  const env = {
    LLMAGENTOS_URL: nodes.url,
    LLMAGENTOS_KEY_FILE: await nodes.keyFile(),
    LLMAGENTOS_CA_FILE: nodes.authority.ca,
  }
  const added = await runCli(['kb', 'list'], { env })
  expect(added).toMatchObject({ code: 0 })
  const asked = await runCli(['ask', 'What is a cluster?', '--json'], { env })
  expect(asked).toMatchObject({ code: 0 })
  expect(JSON.parse(asked.stdout).answer).toBeTypeOf('string')

  const distrusted = await runCli(['ask', 'What?'], { env: { ...env, LLMAGENTOS_CA_FILE: '' } })
  expect(distrusted.code).not.toBe(0)
})

test('when a replica is killed or stops, the next one answers', async () => {
  const nodes = await new Nodes().place(['llm', 'worker'])
  await nodes.start(['data', 'auth'])
  await nodes.start(['worker'])
  await nodes.start(['worker'], { replica: 1 })
  const first = await nodes.start(['llm'])
  const second = await nodes.start(['llm'], { replica: 1 })
  await nodes.start(['gateway'])
  const env = {
    LLMAGENTOS_URL: `https://127.0.0.1:1,${nodes.url}`,
    LLMAGENTOS_KEY_FILE: await nodes.keyFile(),
    LLMAGENTOS_CA_FILE: nodes.authority.ca,
  }
  const ask = () => runCli(['ask', 'What is a cluster?'], { env })
  await vi.waitFor(async () => expect(await ask()).toMatchObject({ code: 0 }), 10_000)
  await nodes.end(first)
  expect(await ask()).toMatchObject({ code: 0 })
  await nodes.run(first)
  await vi.waitFor(async () => expect(await ask()).toMatchObject({ code: 0 }), 10_000)
  expect(await nodes.end(second, 'SIGTERM')).toBe(0)
  expect(await ask()).toMatchObject({ code: 0 })
})

test('two instances of auth know each other’s keys over mutual TLS, and tell no other service', async () => {
  const nodes = await new Nodes().place(['auth'])
  await nodes.start(['data'])
  await nodes.start(['auth'])
  await nodes.start(['auth'], { replica: 1 })
  const key = readFileSync(await nodes.keyFile(), 'utf8').trim()
  const gateway = nodes.calls('gateway')
  for (const peer of gateway.peers('auth')) {
    await vi.waitFor(() => exchanged(gateway, key, peer), 10_000)
    await expect(gateway.call(fetchRecords, ownHop(), { peer })).rejects.toMatchObject({ status: 403 })
  }
})

test('a unit is told when its services take requests, and finds its credentials', async () => {
  const nodes = await new Nodes().place()
  const bin = join(nodes.folder, 'bin')
  const told = join(nodes.folder, 'told')
  mkdirSync(bin)
  // A stand-in for systemd-notify, which needs a service manager.
  writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >>${told}\n`)
  chmodSync(join(bin, 'systemd-notify'), 0o755)
  const folder = join(nodes.authority.ca, '..')
  nodes.tls.data = { cert: 'credential:data.crt', key: 'credential:data.key', ca: 'credential:ca.crt' }
  const env = { NOTIFY_SOCKET: '@x', PATH: `${bin}:${process.env['PATH']}` }
  const id = await nodes.start(['data'], { env: { ...env, CREDENTIALS_DIRECTORY: folder } })
  await vi.waitFor(() => expect(existsSync(told) && readFileSync(told, 'utf8')).toBe('@x --ready\n'))
  const [data] = nodes.calls('auth').peers('data')
  expect(await data!.request({ method: 'GET', path: '/ready' })).toMatchObject({ status: 200 })
  expect(await nodes.end(id, 'SIGTERM')).toBe(0)
})

test('addresses of other machines without certificates are refused at the start', async () => {
  const nodes = await new Nodes().place()
  nodes.tls.data = undefined as never
  await expect(nodes.start(['data'])).rejects.toThrow('no `tls`')
})

test('credentials without the folder of systemd are refused at the start', async () => {
  const nodes = await new Nodes().place()
  nodes.tls.data = { cert: 'credential:a', key: 'credential:b', ca: 'credential:c' }
  await expect(nodes.start(['data'])).rejects.toThrow('there are no credentials')
})

test('whoever waits for a machine that went dark is told long before its deadline', async () => {
  const nodes = await new Nodes().place()
  const id = await nodes.start(['data'])
  const calls = nodes.calls('task')
  const list = () => calls.call(listRecords, ownHop(), { query: { prefix: 'q/', limit: 1 } })
  await list()
  nodes.signal(id, 'SIGHUP')
  await list()
  // Its connections stand and are silent, as those of a machine without power.
  nodes.signal(id, 'SIGSTOP')
  await expect(list()).rejects.toMatchObject({ code: 'cut', status: 503 })
  nodes.signal(id, 'SIGCONT')
  await list()
})
