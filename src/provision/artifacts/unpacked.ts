import { mkdirSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Entry } from './archive.ts'
import { run } from './run.ts'

/** The files and links of an archive (.tgz, .tar.gz, .tar.zst), by the tar of this machine, in `folder`. */
export async function unpacked(archive: string, folder: string, env: NodeJS.ProcessEnv): Promise<Entry[]> {
  mkdirSync(folder, { recursive: true })
  const how = archive.endsWith('.zst') ? '--zstd' : '--gzip'
  // Owners, times and rights of others are nothing to us: rights are said anew by writeArchive.
  const args = [
    '--extract',
    how,
    '--no-same-owner',
    '--no-same-permissions',
    '--file',
    archive,
    '--directory',
    folder,
  ]
  try {
    await run('tar', args, { folder, env })
  } catch (thrown) {
    const why = reasonOf(thrown)
    const missing = /zstd: (Cannot exec|command not found)/.test(why)
    throw new Failure(`${archive} could not be unpacked.`, {
      exit: EXIT.preflight,
      why,
      next: missing ? 'Install the program zstd on this machine (Debian: apt install zstd).' : undefined,
    })
  }
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(found => found.isFile() || found.isSymbolicLink())
    .map((found): Entry => {
      const from = join(found.parentPath, found.name)
      const path = relative(folder, from)
      if (found.isSymbolicLink())
        return { path, mode: 0o755, content: { link: inside(path, readlinkSync(from)) } }
      return { path, mode: statSync(from).mode & 0o111 ? 0o755 : 0o644, content: { from } }
    })
}

/** A link that leads out of its archive could lead root anywhere. */
function inside(path: string, target: string): string {
  const at = normalize(join(dirname(path), target))
  if (!target.startsWith('/') && at !== '..' && !at.startsWith('../')) return target
  throw new Failure(`The archive holds a link that leads out of it: ${path} to ${target}.`, {
    exit: EXIT.unsafe,
    why: 'an archive of these makers has none',
  })
}
