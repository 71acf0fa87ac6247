import { type Left, type Step, step } from '../reconcile/step.ts'
import { install, remove, setHold } from './apt.ts'
import type { PackageItem } from './item.ts'
import { entryOf, left, type Now } from './now.ts'

// Slow mirrors, and five minutes for whoever holds apt's lock.
const APT_MS = 30 * 60_000

/** A package that was there before us is held where asked, and stays when we leave. */
export function packageSteps(item: PackageItem, now: Now): Step[] {
  const { names, held } = item
  const state = (name: string) => now.packages.all.get(name)
  const missing = names.filter(name => !state(name)?.installed)
  const free = held ? names.filter(name => !missing.includes(name) && !state(name)?.held) : []
  return [
    ...(missing.length > 0 ? [installing(item, missing, now)] : []),
    ...(free.length > 0
      ? [
          step({
            node: now.node,
            says: `hold ${free.join(', ')}: ${item.says}`,
            risk: 'change',
            deadlineMs: APT_MS,
            act: setHold(free, 'hold'),
            leaves: newly(free, 'hold', now),
          }),
        ]
      : []),
  ]
}

function installing({ held, says }: PackageItem, missing: string[], now: Now): Step {
  const { broken } = now.packages
  const first =
    broken.length > 0 ? `, after finishing what dpkg was interrupted in (${broken.join(', ')})` : ''
  return step({
    node: now.node,
    says: `install ${missing.join(', ')}: ${says}${first}`,
    risk: 'add',
    deadlineMs: APT_MS,
    act: install(missing, { held }),
    leaves: [...newly(missing, 'package', now), ...(held ? newly(missing, 'hold', now) : [])],
  })
}

const newly = (names: string[], kind: 'package' | 'hold', now: Now): Left[] =>
  names.filter(name => !entryOf(now, kind, name)).map(name => left(now, kind, name))

export function goneHolds(gone: Left[], { node, packages }: Now): Step[] {
  if (gone.length === 0) return []
  const names = gone.map(({ name }) => name).filter(name => packages.all.has(name))
  return [
    step({
      node,
      says: `no longer hold ${gone.map(({ name }) => name).join(', ')}`,
      risk: 'change',
      deadlineMs: APT_MS,
      act:
        names.length > 0 ? setHold(names, 'unhold') : { do: 'run', argv: ['true', ...gone.map(e => e.name)] },
      takes: gone,
    }),
  ]
}

export function gonePackages(gone: Left[], { node }: Now, o: { purge?: boolean } = {}): Step[] {
  if (gone.length === 0) return []
  const names = gone.map(({ name }) => name)
  return [
    step({
      node,
      says: `remove the packages ${names.join(', ')}${o.purge ? ' and their configuration' : '; their configuration stays'}`,
      risk: 'change',
      deadlineMs: APT_MS,
      act: remove(names, o),
      takes: gone,
    }),
  ]
}
