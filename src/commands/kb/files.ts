import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'

export interface SourceFile {
  path: string
  /** Its id in the knowledge base: the path below the working folder, or below what was named outside of it. */
  id: string
  bytes: number
}

/** Files to add, and those in folders that are of no type we read. A file that was named itself is taken whatever its name is. */
export function collect(
  paths: string[],
  o: { cwd: string; reads(name: string): boolean },
): { files: SourceFile[]; skipped: string[] } {
  const files = new Map<string, SourceFile>()
  const skipped: string[] = []
  for (const given of paths) {
    const path = resolve(o.cwd, given)
    const take = (file: string) =>
      files.set(file, {
        path: file,
        id: idOf(file, { cwd: o.cwd, root: dirname(path) }),
        bytes: look(file, given).size,
      })
    if (!look(path, given).isDirectory()) take(path)
    else
      for (const file of under(path))
        if (o.reads(extname(file).toLowerCase())) take(file)
        else skipped.push(file)
  }
  refuseSameNames([...files.values()])
  return { files: [...files.values()], skipped }
}

/** Two documents of one id: the second would replace the first without a word. */
function refuseSameNames(files: SourceFile[]): void {
  const byId = new Map<string, string>()
  for (const { id, path } of files) {
    const other = byId.get(id)
    if (other)
      throw new Failure(`${other} and ${path} would both become the document ${id}.`, {
        exit: EXIT.usage,
        next: 'Add them from a folder above both, or in two runs with another --kb.',
      })
    byId.set(id, path)
  }
}

/** Every file below a folder, in order; hidden ones and links are left alone. */
function under(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(e => !e.name.startsWith('.') && e.name !== 'node_modules')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(e => {
      const path = join(folder, e.name)
      return e.isDirectory() ? under(path) : e.isFile() ? [path] : []
    })
}

function idOf(path: string, o: { cwd: string; root: string }): string {
  const below = relative(o.cwd, path)
  const inside = below !== '' && !below.startsWith('..') && !isAbsolute(below)
  return inside ? below : relative(o.root, path) || basename(path)
}

function look(path: string, given: string) {
  try {
    const found = statSync(path)
    if (found.isFile() || found.isDirectory()) return found
  } catch (thrown) {
    const why = codeOf(thrown) === 'ENOENT' ? 'There is no such file or folder.' : reasonOf(thrown)
    throw new Failure(`${given} cannot be added.`, { exit: EXIT.usage, why })
  }
  throw new Failure(`${given} cannot be added.`, {
    exit: EXIT.usage,
    why: 'It is neither a file nor a folder.',
  })
}
