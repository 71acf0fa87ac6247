// The three processes that are measured, each as its users start it; all of them gone when `stopAll` returns.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const BIN = fileURLToPath(new URL('../../bin/llmagentos.js', import.meta.url))
const undo = []

export async function stopAll() {
  for (const act of undo.splice(0).reverse()) await act()
}

export async function startStandIn() {
  const port = await freePort()
  await started(process.execPath, [join(HERE, 'stand-in.js'), String(port)], { until: 'ready' })
  return { url: `http://127.0.0.1:${port}` }
}

/** A one-machine cluster as `cluster up` makes it, with the stand-in as its Ollama and a slot for every stream of the benchmark. */
export async function startCluster({ ollama, slots }) {
  const folder = temporary()
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    OLLAMA_HOST: ollama,
    OLLAMA_NUM_PARALLEL: String(slots),
    ...(process.env.NODE_OPTIONS && { NODE_OPTIONS: process.env.NODE_OPTIONS }),
  }
  const port = await freePort()
  undo.push(() => ran(process.execPath, [BIN, 'cluster', 'down'], { env }))
  await ran(process.execPath, [BIN, 'cluster', 'up', '--port', String(port)], { env })
  return {
    url: `http://127.0.0.1:${port}`,
    key: readFileSync(join(folder, 'config/llmagentos/local.key'), 'utf8').trim(),
    pid: JSON.parse(readFileSync(join(folder, 'state/llmagentos/local/process.json'), 'utf8')).pid,
    socket: service => join(folder, 'run/llmagentos/local', `${service}.sock`),
  }
}

/** The newest @portkey-ai/gateway, installed by npm into a folder of its own; nothing of it stays. */
export async function startPortkey() {
  const folder = temporary()
  await ran('npm', [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--prefix',
    folder,
    '@portkey-ai/gateway',
  ])
  const home = join(folder, 'node_modules/@portkey-ai/gateway')
  const port = await freePort()
  const server = join(home, 'build/start-server.js')
  await started(process.execPath, [server, `--port=${port}`, '--headless'], {
    until: 'Ready for connections',
  })
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  return { url: `http://127.0.0.1:${port}`, version }
}

async function started(command, args, { until }) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  undo.push(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let text = ''
  await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', piece => {
      text += piece
      if (text.includes(until)) resolve()
    })
    ended.then(([code]) => reject(new Error(`${args[0]} ended with ${code}: ${text}`)))
  })
}

async function ran(command, args, { env = process.env } = {}) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', piece => {
    text += piece
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${text}`)
}

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'lao-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
