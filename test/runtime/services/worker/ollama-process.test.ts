import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, onTestFinished, test, vi } from 'vitest'
import { tempFolder } from '../../../helpers/temp.ts'
import { engineOf, freePort, open, withoutInstalledOllama } from './engines.ts'

const path = withoutInstalledOllama()

/** A program named ollama that answers as much of the API as a probe asks for, at OLLAMA_HOST; it names its pid and environment. */
function installFakeOllama(o: { exits?: string } = {}): { folder: string; trace: string } {
  const folder = tempFolder()
  const trace = join(folder, 'trace')
  const script = `#!${process.execPath}
const { appendFileSync } = require('node:fs')
appendFileSync(${JSON.stringify(trace)}, JSON.stringify({ pid: process.pid, argv: process.argv.slice(2), env: process.env }) + '\\n')
${o.exits ? `process.stderr.write(${JSON.stringify(o.exits)}); process.exit(1)` : ''}
const [host, port] = process.env.OLLAMA_HOST.split(':')
const answers = { '/api/version': { version: '0.24.0' }, '/api/ps': { models: [] }, '/api/show': { capabilities: ['completion'], model_info: {} },
  '/api/tags': { models: [{ name: 'llama:latest', digest: 'd', size: 1, modified_at: '', details: {} }] } }
require('node:http').createServer((req, res) => res.end(JSON.stringify(answers[req.url] ?? {}))).listen(Number(port), host)
`
  writeFileSync(join(folder, 'ollama'), script)
  chmodSync(join(folder, 'ollama'), 0o755)
  path.install(folder)
  return { folder, trace }
}

async function traced(
  trace: string,
): Promise<{ pid: number; argv: string[]; env: Record<string, string> }[]> {
  return readFileSync(trace, 'utf8')
    .trim()
    .split('\n')
    .map(l => JSON.parse(l))
}

const lives = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('an installed Ollama is started with little of our environment, and ends with us', async () => {
  const { trace } = installFakeOllama()
  process.env.LAO_TEST_SECRET = 'not for a child'
  onTestFinished(() => void delete process.env.LAO_TEST_SECRET)
  const port = await freePort()
  const { engines } = await open(`http://127.0.0.1:${port}`)
  expect(engines.current().note).toContain('does not answer yet')
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama llama:latest'), 10_000)
  const [{ pid, argv, env }] = (await traced(trace)) as [Awaited<ReturnType<typeof traced>>[0]]
  expect(argv).toEqual(['serve'])
  expect(env).toMatchObject({
    OLLAMA_HOST: `127.0.0.1:${port}`,
    OLLAMA_NO_CLOUD: '1',
    OLLAMA_NUM_PARALLEL: '2',
  })
  expect(env.LAO_TEST_SECRET).toBeUndefined()
  await engines.close()
  expect(lives(pid)).toBe(false)
})

test('an Ollama that was started and dies is started again, one at a time', async () => {
  const { trace } = installFakeOllama()
  const { engines } = await open(`http://127.0.0.1:${await freePort()}`)
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama llama:latest'), 10_000)
  process.kill((await traced(trace))[0]!.pid, 'SIGKILL')
  await vi.waitFor(() => expect(engineOf(engines)).toBe('extractive extractive'), 10_000)
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama llama:latest'), 10_000)
  expect(await traced(trace)).toHaveLength(2)
})

test('an Ollama of our own that hangs is ended, and started again', async () => {
  const { trace } = installFakeOllama()
  const port = await freePort()
  const { engines } = await open(`http://127.0.0.1:${port}`, {}, { patienceMs: 100 })
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama llama:latest'), 10_000)
  const { pid } = (await traced(trace))[0]!
  process.kill(pid, 'SIGSTOP')
  await vi.waitFor(() => expect(lives(pid)).toBe(false), 10_000)
  await vi.waitFor(() => expect(engineOf(engines)).toBe('ollama llama:latest'), 10_000)
  expect(await traced(trace)).toHaveLength(2)
})

test('an Ollama that cannot start is said with its last words, and does not stop anything else', async () => {
  installFakeOllama({ exits: 'Error: no space left on device' })
  const { engines } = await open(`http://127.0.0.1:${await freePort()}`)
  await vi.waitFor(() => expect(engines.current().note).toContain('no space left on device'), 10_000)
  expect(engines.current().engine).toBe('extractive')
})

test('an Ollama elsewhere is never started from here', async () => {
  installFakeOllama()
  const { engines } = await open('http://ollama.invalid:11434')
  expect(engines.current().note).toMatch(/^No Ollama answers at http:\/\/ollama.invalid:11434: /)
})

test('kill -9 of the worker leaves no Ollama behind', async () => {
  const { trace } = installFakeOllama()
  const out = join(tempFolder(), 'parent.mjs')
  await build({
    stdin: {
      contents: `import { startOllama } from './src/runtime/services/worker/ollama-process.ts'
import { silent } from './src/log.ts'
startOllama({ binary: process.argv[2], url: process.argv[3], slots: 1, log: silent })
setInterval(() => {}, 1000)`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: out,
  })
  const parent = spawn(
    process.execPath,
    [out, join(trace, '..', 'ollama'), `http://127.0.0.1:${await freePort()}`],
    { stdio: 'ignore' },
  )
  onTestFinished(() => void parent.kill('SIGKILL'))
  const { pid } = await vi.waitFor(async () => (await traced(trace))[0]!, 10_000)
  expect(lives(pid)).toBe(true)
  parent.kill('SIGKILL')
  await vi.waitFor(() => expect(lives(pid)).toBe(false), 10_000)
})
