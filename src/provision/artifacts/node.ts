import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, createReadStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Artifact } from './artifact.ts'
import { type Architecture, NODE } from './pinned.ts'

const FETCH_MS = 10 * 60_000

/** The Node of our services. A file of npm's name in the cache is taken as well, where its digest is right: so it works without a network. */
export function node(arch: Architecture): Artifact {
  return {
    name: `node-${NODE.version}-linux-${arch}`,
    async entries({ cache, folder, env }) {
      const archive = await fetched(arch, { cache, folder, env })
      await run('tar', ['-xzf', archive, '-C', folder, 'package/bin/node', 'package/LICENSE'], {
        folder,
        env,
      })
      const from = (path: string) => ({ from: join(folder, 'package', path) })
      return [
        { path: 'bin/node', mode: 0o755, content: from('bin/node') },
        { path: 'LICENSE', mode: 0o644, content: from('LICENSE') },
      ]
    },
  }
}

async function fetched(
  arch: Architecture,
  o: { cache: string; folder: string; env: NodeJS.ProcessEnv },
): Promise<string> {
  const file = `node-linux-${arch}-${NODE.version}.tgz`
  const kept = join(o.cache, file)
  if (existsSync(kept) && (await isRight(kept, arch))) return kept
  const wanted = `node-linux-${arch}@${NODE.version}`
  const offline = `Or run \`npm pack ${wanted}\` where there is a network, and put the file into ${o.cache}.`
  try {
    await run('npm', ['pack', wanted, '--loglevel=error', '--pack-destination', o.folder], o)
  } catch (thrown) {
    throw new Failure(`Node ${NODE.version} could not be fetched (npm package ${wanted}).`, {
      exit: EXIT.preflight,
      why: reasonOf(thrown),
      next: `npm's own settings say where packages come from: see \`npm config list\`. ${offline}`,
    })
  }
  const fresh = join(o.folder, file)
  if (!(await isRight(fresh, arch)))
    throw new Failure(`The npm package ${wanted} is not the one that we know.`, {
      exit: EXIT.unsafe,
      why: `its sha512 is not ${NODE.integrity[arch]}`,
      next: 'Ask whoever runs the package registry that npm is set to.',
    })
  mkdirSync(o.cache, { recursive: true, mode: 0o700 })
  rmSync(kept, { force: true })
  copyFileSync(fresh, `${kept}.new`)
  renameSync(`${kept}.new`, kept)
  return kept
}

async function isRight(file: string, arch: Architecture): Promise<boolean> {
  const hash = createHash('sha512')
  await pipeline(createReadStream(file), hash)
  return `sha512-${hash.digest('base64')}` === NODE.integrity[arch]
}

/** Throws with the end of standard error. */
function run(program: string, args: string[], o: { folder: string; env: NodeJS.ProcessEnv }): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: o.folder,
      env: o.env,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: FETCH_MS,
    })
    let said = ''
    child.stderr.on('data', chunk => (said = (said + chunk).slice(-4000)))
    child.on('error', reject)
    child.on('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(said.trim() || `${program} ended with ${signal ?? code}`)),
    )
  })
}
