import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'

export interface Packages {
  /** By name, without the architecture; what is not in it is not there (or left only its configuration). */
  all: Map<string, PackageState>
  /** Packages in which dpkg was interrupted; not empty means that nothing can be installed before it is repaired. */
  broken: string[]
}

export interface PackageState {
  version: string
  installed: boolean
  held: boolean
}

const SETTLED = ['installed', 'config-files', 'not-installed']

// dpkg leaves files in updates/ when it was killed between two lines of its journal.
export const packages: Fact<Packages> = {
  id: 'packages',
  deadlineMs: 15_000,
  script: `for file in /var/lib/dpkg/updates/[0-9]*; do [ ! -e "$file" ] || echo interrupted; done
exec dpkg-query -W -f '\${db:Status-Status}\\t\${db:Status-Want}\\t\${db:Status-Eflag}\\t\${Version}\\t\${Package}\\n'`,
  parse(stdout) {
    const all = new Map<string, PackageState>()
    const broken = new Set<string>()
    for (const line of linesOf(stdout)) {
      const [status, want, flag, version, name] = line.split('\t')
      if (status === 'interrupted') broken.add('dpkg')
      else if (!name || version === undefined) throw new Error(`${JSON.stringify(line)} is no package`)
      else {
        if (!SETTLED.includes(status!) || flag === 'reinstreq') broken.add(name)
        const installed = status === 'installed' || all.get(name)?.installed === true
        if (SETTLED.indexOf(status!) < 1) all.set(name, { version, installed, held: want === 'hold' })
      }
    }
    return { all, broken: [...broken] }
  },
}
