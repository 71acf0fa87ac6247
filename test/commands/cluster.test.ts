import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../../src/retry.ts'
import { freePort } from '../helpers/cluster.ts'
import { cli, eachTestAlone, fileOf, here, masked, pid, up } from './one-machine.ts'

eachTestAlone()

const isAlive = (of: number) =>
  existsSync(`/proc/${of}/stat`) && !/\) Z /.test(readFileSync(`/proc/${of}/stat`, 'utf8'))

test('cluster up proves an answer, saves a key, and a second one changes nothing', async () => {
  const first = await up()
  expect(masked(first)).toMatchInlineSnapshot(`
    "exit 0
    The cluster is up: it answered a question in N s, with the extractive engine.
      gateway  http://127.0.0.1:PORT
      API key  FOLDER/config/llmagentos/local.key
      next     llmagentos ask "how do I add a node?"
    --- stderr
    Starting the services ...
    Saving an API key ...
    Asking one question through the gateway ...
    "
  `)
  expect(first.code).toBe(0)
  const before = pid()
  const second = await up()
  expect(masked(second)).toMatchInlineSnapshot(`
    "exit 0
    The cluster runs already, at http://127.0.0.1:PORT. Nothing was changed.
    "
  `)
  expect(pid()).toBe(before)

  const asked = await cli('ask', '--json', 'how do I add a node?')
  expect(asked.code).toBe(0)
  const answer = JSON.parse(asked.stdout)
  expect(answer).toMatchObject({ engine: 'extractive', model: 'extractive', worker: 'local', finish: 'stop' })
  expect(answer.sources.length).toBeGreaterThan(0)
  expect(answer.answer).toContain('nodes:')
})

test('cluster down keeps what was stored, and cluster up goes on with it', async () => {
  await up()
  const key = readFileSync(fileOf('config/llmagentos/local.key'), 'utf8')
  await cli('ask', '--session', 'trip', 'how do I revoke a key?')
  const ended = pid()
  expect(masked(await cli('cluster', 'down'))).toMatchInlineSnapshot(`
    "exit 0
    The cluster is stopped. What it stored is kept.
    "
  `)
  expect(isAlive(ended)).toBe(false)
  await up()
  expect(readFileSync(fileOf('config/llmagentos/local.key'), 'utf8')).toBe(key)
  expect((await cli('session', 'show', 'trip')).stdout).toContain('how do I revoke a key?')
})

test('cluster down without a cluster says so and ends with 0', async () => {
  expect(masked(await cli('cluster', 'down'))).toMatchInlineSnapshot(`
    "exit 0
    No cluster was running. What it stored is kept.
    "
  `)
})

test('status shows every service, and ends with 4 when no gateway answers', async () => {
  await up()
  expect(masked(await cli('cluster', 'status'))).toMatchInlineSnapshot(`
    "exit 0
    local: healthy, up N s, version 0.1.0
      engine   extractive, model extractive
      store    embedded
      auth     a revoked key is refused within 1000 ms
      ready    gateway
      ready    auth
      ready    llm
                 No Ollama answers at http://127.0.0.1:1 and none is installed: install it, then \`llmagentos cluster up --model NAME\`.
      ready    task
      ready    data
      ready    executor
      ready    worker
                 No Ollama answers at http://127.0.0.1:1 and none is installed: install it, then \`llmagentos cluster up --model NAME\`.
    "
  `)
  await cli('cluster', 'down')
  expect(masked(await cli('cluster', 'status'))).toMatchInlineSnapshot(`
    "exit 4
    --- stderr
    error: No gateway answers at http://127.0.0.1:PORT.
      next: Start the cluster: llmagentos cluster up
    "
  `)
})

test('before there is a cluster every command says how to get one', async () => {
  expect(masked(await cli('ask', 'anything'))).toMatchInlineSnapshot(`
    "exit 4
    --- stderr
    error: There is no cluster yet.
      next: Start one on this machine: llmagentos cluster up
    "
  `)
})

test('two cluster up at once start one cluster, and both end well', async () => {
  const both = await Promise.all([up(), up()])
  expect(
    both.map(r => r.code),
    both.map(r => r.stderr).join('\n'),
  ).toEqual([0, 0])
  const said = both.map(r => r.stdout).join()
  expect(said).toContain('The cluster is up')
  expect(said).toContain('The cluster runs already')
  expect((await cli('cluster', 'status')).code).toBe(0)
})

test('a cluster up that comes while another one starts waits for it, and restarts nothing', async () => {
  const first = up()
  await waitFor({ says: 'the services to start', deadlineMs: 20_000, everyMs: 1 }, () =>
    existsSync(fileOf('state/llmagentos/local/process.json')) ? true : undefined,
  )
  const second = await cli('cluster', 'up')
  expect(second.code, second.stderr).toBe(0)
  expect(second.stderr).toContain('Another `cluster up` is at work; waiting for it')
  expect(second.stdout).toContain(`The cluster runs already, at http://127.0.0.1:${here.port}.`)
  const { code, stderr } = await first
  expect(code, stderr).toBe(0)
})

test('after kill -9 of everything cluster up starts again, whatever the killed process left', async () => {
  await up()
  const killed = pid()
  process.kill(killed, 'SIGKILL')
  expect((await up()).code).toBe(0)
  expect(pid()).not.toBe(killed)
})

test('a note of a process that is another one by now is no cluster, and that process is left alone', async () => {
  const state = fileOf('state/llmagentos/local')
  mkdirSync(state, { recursive: true })
  writeFileSync(
    join(state, 'process.json'),
    JSON.stringify({ pid: process.pid, ticks: '1', url: 'http://127.0.0.1:1', version: '0' }),
  )
  expect((await cli('cluster', 'down')).stdout).toContain('No cluster was running')
  writeFileSync(join(state, 'process.json'), '{"pid": 1, "ti')
  expect((await up()).code).toBe(0)
})

test('a port that is taken is named, with another one to choose; nothing is left running', async () => {
  const other = createServer().listen(Number(here.port), '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  onTestFinished(() => void other.close())
  const failed = await up()
  expect(masked(failed)).toMatchInlineSnapshot(`
    "exit 3
    --- stderr
    Starting the services ...
    error: Port PORT of 127.0.0.1 is taken by another program.
      next: Choose another one: llmagentos cluster up --port PORT+1
    "
  `)
  expect(existsSync(fileOf('state/llmagentos/local/process.json'))).toBe(false)
})

test('another port moves the cluster, and stays until another one is asked for', async () => {
  await up()
  const other = await freePort()
  const moved = await cli('cluster', 'up', '--port', String(other))
  expect(moved.stderr).toContain('Restarting the services, because their settings changed')
  expect(moved.stdout).toContain(`http://127.0.0.1:${other}`)
  expect((await cli('cluster', 'up')).stdout).toContain(
    `The cluster runs already, at http://127.0.0.1:${other}.`,
  )
  await cli('cluster', 'down')
  expect((await cli('cluster', 'up')).stdout).toContain(`http://127.0.0.1:${other}`)
  expect((await cli('ask', 'how do I add a node?')).code).toBe(0)
})

test('--purge wants the name, also without a terminal, and then leaves nothing', async () => {
  await up()
  expect(masked(await cli('cluster', 'down', '--purge'))).toMatchInlineSnapshot(`
    "exit 9
    --- stderr
    error: --purge removes everything that the cluster stored.
      next: llmagentos cluster down --purge --confirm local
    "
  `)
  expect((await cli('cluster', 'down', '--purge', '--confirm', 'other')).code).toBe(9)
  expect((await cli('cluster', 'status')).code).toBe(0)
  expect(masked(await cli('cluster', 'down', '--purge', '--confirm', 'local'))).toMatchInlineSnapshot(`
    "exit 0
    The cluster is stopped; everything it stored is removed.
    "
  `)
  expect(existsSync(fileOf('data/llmagentos/local'))).toBe(false)
  expect(existsSync(fileOf('state/llmagentos/local'))).toBe(false)
  expect(readdirSync(fileOf('config/llmagentos'))).toEqual(['clusters.json'])
})

test('a lost key and a revoked key are replaced by cluster up', async () => {
  await up()
  const file = fileOf('config/llmagentos/local.key')
  const first = readFileSync(file, 'utf8')
  writeFileSync(file, `lao_${'a'.repeat(16)}_${'b'.repeat(43)}\n`)
  expect((await up()).code).toBe(0)
  expect(readFileSync(file, 'utf8')).not.toBe(first)
  expect((await cli('ask', 'how do I add a node?')).code).toBe(0)
})

test('a store of a newer version is not opened', async () => {
  await up()
  await cli('cluster', 'down')
  const store = fileOf('data/llmagentos/local/store')
  const format = readdirSync(store).find(f => /format|version/i.test(f))!
  writeFileSync(join(store, format), readFileSync(join(store, format), 'utf8').replace(/\d+/, '9999'))
  const refused = await up()
  expect(refused.code).toBe(3)
  expect(refused.stderr).toContain('newer')
})
