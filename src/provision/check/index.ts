import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import type { Fact, Facts } from '../facts/fact.ts'
import type { Step } from '../reconcile/step.ts'
import { archives } from './archives.ts'
import { clock } from './clock.ts'
import { clones } from './clones.ts'
import type { Concern, Site } from './concern.ts'
import { disks } from './disks.ts'
import { exact } from './exact.ts'
import { fsync } from './fsync.ts'
import { gpus } from './gpus.ts'
import { memory } from './memory.ts'
import { names } from './names.ts'
import { network } from './network.ts'
import { packages } from './packages.ts'
import { paths } from './paths.ts'
import { ports } from './ports.ts'
import { reach } from './reach.ts'
import { reboot } from './reboot.ts'
import { running } from './running.ts'
import { space } from './space.ts'
import { system } from './system.ts'
import { time } from './time.ts'

/** Everything that is checked, in the order of the report. A new check is one file and one line. */
export const concerns: Concern[] = [
  clock,
  time,
  system,
  clones,
  network,
  names,
  memory,
  gpus,
  space,
  disks,
  ports,
  packages,
  reboot,
  fsync,
  exact,
  reach,
  paths,
  archives,
  running,
]

/** A finding, and the concern that found it. */
export interface Judged extends Finding {
  check: string
}

/** What `up` asks before its first change, beside the facts of the components; nothing of it is slow. */
export function preflightFacts(site: Site, node: WantedNode): Fact<unknown>[] {
  return factsOf(quick, site, node)
}

/** What stands against any change, from those facts alone. Pure. */
export function preflight(site: Site, facts: Facts): Judged[] {
  return judge(quick, site, facts)
}

/** The same with the probes, which take seconds. */
export const checkFacts = (site: Site, node: WantedNode): Fact<unknown>[] => factsOf(concerns, site, node)

export const checkAll = (site: Site, facts: Facts): Judged[] => judge(concerns, site, facts)

export const repairsOf = (site: Site, facts: Facts): Step[] =>
  concerns.flatMap(concern => concern.repairs?.(site, facts) ?? [])

/** What must not be passed over: neither what is wrong, nor what nobody knows. */
export const standsAgainst = ({ level }: Finding): boolean => level === 'bad' || level === 'unknown'

const quick = concerns.filter(concern => !concern.probe)

const factsOf = (list: Concern[], site: Site, node: WantedNode) =>
  list.flatMap(concern => concern.facts(site, node))

const judge = (list: Concern[], site: Site, facts: Facts): Judged[] =>
  list.flatMap(concern => concern.judge(site, facts).map(finding => ({ check: concern.name, ...finding })))
