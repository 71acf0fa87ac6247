import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { packageRoot } from '../../src/assets.ts'

export interface Import {
  /** As written: `./errors.ts`, `node:fs`, `lmdb`. */
  text: string
  /** Path from the root of the checkout (`src/errors.ts`), or the name of the package (`lmdb`), or `node:fs`. */
  to: string
  kind: 'value' | 'type' | 'dynamic'
}

export interface Source {
  /** Path from the root of the checkout. */
  file: string
  text: string
  lines: number
  imports: Import[]
}

/** Every source file under the folders, with its imports. */
export function sources(...folders: string[]): Source[] {
  return folders
    .flatMap(folder =>
      readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' })
        .filter(name => /\.(ts|tsx|js)$/.test(name))
        .map(name => join(folder, name)),
    )
    .sort()
    .map(read)
}

/** `@scope/name/deep/file` and `name/deep` belong to one package each. */
export function packageOf(text: string): string {
  return text
    .split('/')
    .slice(0, text.startsWith('@') ? 2 : 1)
    .join('/')
}

export const isOurs = (to: string) =>
  to.startsWith('src/') || to.startsWith('test/') || to.startsWith('scripts/')
export const isNode = (to: string) => to.startsWith('node:')

function read(file: string): Source {
  const text = readFileSync(join(packageRoot(), file), 'utf8')
  return { file, text, lines: text.trimEnd().split('\n').length, imports: importsOf(file, text) }
}

/**
 * A scan and no parser: the formatter fixes how an import is written (statement at the start of a line, single quotes), types
 * must be seen too, which esbuild drops, and scan.test.ts holds the result against esbuild's own view of every file.
 */
function importsOf(file: string, text: string): Import[] {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
  const found: Import[] = []
  const add = (specifier: string, kind: Import['kind']) =>
    found.push({ text: specifier, to: target(file, specifier), kind })
  for (const m of code.matchAll(/^(?:import|export)\s(type\s)?[^'"`;()=]*?from\s'([^']+)'/gm))
    add(m[2]!, m[1] ? 'type' : 'value')
  for (const m of code.matchAll(/^import\s'([^']+)'/gm)) add(m[1]!, 'value')
  for (const m of code.matchAll(/(typeof\s+)?(?<![.#\w])import\(\s*['"`]([^'"`]+)['"`]/g))
    add(m[2]!, m[1] ? 'type' : 'dynamic')
  for (const m of code.matchAll(/\brequire(?:\.resolve)?\('([^']+)'\)/g)) add(m[1]!, 'value')
  return found
}

function target(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return relative(packageRoot(), join(packageRoot(), dirname(file), specifier))
  return specifier.startsWith('node:') ? specifier : packageOf(specifier)
}
