import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/assets.ts'
import { homeIn } from './cli.ts'

/** A one-machine cluster of its own: a real process, started and stopped by the built CLI, with everything it keeps in one folder. */
export interface Cluster {
  /** The gateway's, without a path. */
  url: string
  /** An admin's API key. */
  key: string
  /** Its folders: what a program needs in its environment to act on this cluster. */
  env: Record<string, string>
  pid: number
  folder: string
  /** Runs one command of the CLI against it. */
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** Stops it and removes all that it stored; safe after it was killed, and again. */
  stop(): Promise<void>
}

/** Nothing listens there, so the worker quotes documents. */
const NO_OLLAMA = 'http://127.0.0.1:1'

/** Starts a cluster whose worker talks to the Ollama at that URL; without one it is extractive. Whoever starts it must `stop()` it. */
export async function startCluster(
  o: { ollama?: string; model?: string; slots?: number } = {},
): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'lao-'))
  const env: Record<string, string> = {
    // Only Node: an Ollama that is installed here must not be started by a test.
    PATH: join(process.execPath, '..'),
    ...homeIn(folder),
    OLLAMA_HOST: o.ollama ?? NO_OLLAMA,
    ...(o.slots && { OLLAMA_NUM_PARALLEL: String(o.slots) }),
  }
  const run = (...args: string[]) => runBin(args, env)
  const stop = async () => {
    await run('cluster', 'down', '--purge', '--confirm', 'local')
    rmSync(folder, { recursive: true, force: true })
  }
  const port = await freePort()
  const up = await run('cluster', 'up', '--port', String(port), ...(o.model ? ['--model', o.model] : []))
  if (up.code !== 0) {
    await stop()
    throw new Error(`cluster up ended with ${up.code}: ${up.stderr}`)
  }
  const { pid } = JSON.parse(readFileSync(join(folder, 'state/llmagentos/local/process.json'), 'utf8')) as {
    pid: number
  }
  const key = readFileSync(join(folder, 'config/llmagentos/local.key'), 'utf8').trim()
  return { url: `http://127.0.0.1:${port}`, key, env, pid, folder, run, stop }
}

/** Free at this moment; another program may take it before it is used, which `cluster up` then says. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function runBin(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(packageRoot(), 'bin/llmagentos.js'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout, stderr }
}
