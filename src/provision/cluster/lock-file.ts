import { existsSync, readFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Locked } from '../artifacts/published.ts'
import { writeWhole } from './write.ts'

const HEAD = `# Digests of what was fetched for this cluster from those who make it. Each is believed from its first time on:
# a file that has another one later is refused. Keep this beside the file of the cluster.
`
const INTEGRITY = /^sha(256|512)-[A-Za-z0-9+/]{43,86}={0,2}$/

/** cluster.yaml has cluster.lock.yaml beside it. */
export const lockFileOf = (file: string) => file.replace(/(\.ya?ml)?$/, '.lock.yaml')

/** Throws Failure (2) for one that cannot be read, or is none. */
export function lockFile(file: string): Locked {
  const read = () => (existsSync(file) ? digestsIn(file) : {})
  return {
    get: name => read()[name],
    put(name, integrity) {
      const all = { ...read(), [name]: integrity }
      const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
      writeWhole(file, HEAD + stringify({ artifacts: sorted }, { lineWidth: 0 }), { replace: true })
    },
  }
}

function digestsIn(file: string): Record<string, string> {
  try {
    const { artifacts } = (parse(readFileSync(file, 'utf8')) ?? {}) as { artifacts?: unknown }
    const all = Object.entries((artifacts ?? {}) as Record<string, unknown>)
    for (const [name, integrity] of all)
      if (typeof integrity !== 'string' || !INTEGRITY.test(integrity))
        throw new Error(`${name} has no digest such as sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=`)
    return Object.fromEntries(all) as Record<string, string>
  } catch (thrown) {
    throw new Failure(`${file} cannot be read.`, {
      exit: EXIT.usage,
      why: reasonOf(thrown),
      next: 'Mend it, or remove it: what it held is then taken from those who make the programs.',
    })
  }
}
