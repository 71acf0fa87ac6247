import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { packageRoot } from '../../assets.ts'
import { EXIT, Failure } from '../../errors.ts'
import type { Entry } from './archive.ts'

/** A package of this installation. */
export interface Installed {
  name: string
  version: string
  folder: string
}

// What a program loads, and the licences that travel with it. Of native binaries those for our own Node: the stable interface (napi), glibc.
const LOADED = /(\.(c?js|mjs|json|node)|(^|\/)(licen[cs]e|notice|copying|copyright)[^/]*)$/i
const FOREIGN = /\.(abi\d+\.|napi\.musl)[^/]*node$/

/** These packages and all that they depend on, sorted by name; optional ones are named by whoever wants them. */
export function closure(names: string[]): Installed[] {
  const found = new Map<string, Installed>()
  const add = (name: string, from: string) => {
    const one = locate(name, from)
    const known = found.get(name)
    if (known && known.folder !== one.folder)
      throw new Error(`${name} is installed twice, in ${known.folder} and ${one.folder}`)
    if (known) return
    found.set(name, one)
    for (const needed of dependenciesOf(one)) add(needed, one.folder)
  }
  for (const name of names) add(name, packageRoot())
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The files of a package that a program loads, as they lie under node_modules. */
export function filesOf({ name, folder }: Installed): Entry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(file => file.isFile())
    .map(file => relative(folder, join(file.parentPath, file.name)))
    .filter(file => LOADED.test(file) && !FOREIGN.test(file) && !file.startsWith('node_modules/'))
    .map(file => ({ path: `${name}/${file}`, mode: 0o644, content: { from: join(folder, file) } }))
}

function locate(name: string, from: string): Installed {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    if (existsSync(join(folder, 'package.json')))
      return { name, version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version, folder }
    if (at === dirname(at))
      throw new Failure(`This installation of llmagentos lacks the package ${name}.`, {
        exit: EXIT.preflight,
        why: 'the machines run what this installation holds, for their own kind of processor',
        next: 'Run `cluster up` from a complete installation on a machine with the processor of the nodes.',
      })
  }
}

// For compilers (types, C headers), and for the command-line tools of packages of which we only load the library.
const UNLOADED = /^(@types\/|node-addon-api$|command-line-)/

function dependenciesOf({ folder }: Installed): string[] {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return Object.keys(dependencies).filter(name => !UNLOADED.test(name))
}
