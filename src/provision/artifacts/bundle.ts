import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { packageRoot, version } from '../../assets.ts'
import type { Entry } from './archive.ts'
import type { Artifact } from './artifact.ts'
import { closure, filesOf, type Installed } from './packages.ts'
import type { Architecture } from './pinned.ts'

// What lies in dist for those who work on llmagentos itself.
const UNNEEDED = /(\.map|\/meta\.json)$/

/** This very installation: programs, templates, documentation, and the packages that the programs load. Throws Failure (3) where it lacks one. */
export function bundle(arch: Architecture): Artifact {
  const own = ownFiles()
  const packages = closure(['lmdb', `@lmdb/lmdb-linux-${arch}`])
  const digest = digestOf(own, packages)
  return {
    name: `llmagentos-${version()}-${digest}-linux-${arch}`,
    entries: () => [...own, ...inNodeModules(packages, 'node_modules/')],
  }
}

/** The search index (LanceDB): large, and used only where the service data runs. */
export function searchIndex(arch: Architecture): Artifact {
  const packages = closure(['@lancedb/lancedb', `@lancedb/lancedb-linux-${arch}-gnu`, 'apache-arrow'])
  const { version } = packages.find(p => p.name === '@lancedb/lancedb')!
  return {
    name: `lancedb-${version}-${digestOf([], packages)}-linux-${arch}`,
    entries: () => inNodeModules(packages, ''),
  }
}

function ownFiles(): Entry[] {
  const root = packageRoot()
  const under = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(file => file.isFile())
      .map(file => relative(root, join(file.parentPath, file.name)))
  const single = ['package.json', 'LICENSE', 'docs/README.md'].filter(file => existsSync(join(root, file)))
  return [...['bin', 'dist', 'docs/guide', 'templates'].flatMap(under), ...single]
    .filter(file => !UNNEEDED.test(file))
    .sort()
    .map(path => ({
      path,
      mode: path.startsWith('bin/') && path.endsWith('.js') ? 0o755 : 0o644,
      content: { from: join(root, path) },
    }))
}

const inNodeModules = (packages: Installed[], prefix: string): Entry[] =>
  packages.flatMap(filesOf).map(entry => ({ ...entry, path: prefix + entry.path }))

/** A package of one version never changes, so its files need not be read. */
function digestOf(own: Entry[], packages: Installed[]): string {
  const hash = createHash('sha256')
  for (const { path, content } of own) {
    const bytes =
      'from' in content ? readFileSync(content.from) : 'text' in content ? content.text : content.link
    hash.update(`${path}\0${Buffer.byteLength(bytes)}\0`).update(bytes)
  }
  for (const { name, version } of packages) hash.update(`${name}@${version}\n`)
  return hash.digest('hex').slice(0, 16)
}
