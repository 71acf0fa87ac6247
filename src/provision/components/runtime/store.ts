import { EXIT, Failure } from '../../../errors.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import { type Facts, UnknownFact } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import type { View } from '../component.ts'
import { holds, told, wasMoved } from './embedded.ts'
import { unitOf } from './places.ts'
import { hasS3 } from './s3.ts'

/** Where what must last is kept, and where that runs of which there is one. */
export interface Store {
  /** `embedded`: on the disk of `home`, for one process there. `s3`: object storage, for as many as there are. */
  kind: 'embedded' | 's3'
  home: WantedNode
}

/**
 * Pure. An embedded store stays where it is, however the file is ordered and whatever the node's roles become, until it was moved: a second
 * one somewhere else would be an empty one. Throws UnknownFact where a node that may have it did not tell.
 */
export function storeOf(view: View<unknown>, facts: Facts): Store {
  const { nodes } = view.cluster
  const holder = nodes.find(({ name }) => holds(name, facts) && !wasMoved(name, facts))
  if (holder) return { kind: 'embedded', home: holder }
  const control = nodes.filter(node => node.roles.includes('control'))
  const home = control.find(({ name }) => keepsUnit(name, TASK, facts)) ?? control[0]!
  if (hasS3(view) && usesS3(view, facts)) return { kind: 's3', home }
  for (const { name } of control) {
    const why = told(name, facts)
    if (why !== undefined)
      throw new UnknownFact(name, { fact: 'whether it holds the store of the services', why })
  }
  return { kind: hasS3(view) ? 's3' : 'embedded', home }
}

/** Throws Failure: services that found an empty store in place of theirs would take it for theirs. */
export function refuseWithoutS3(view: View<unknown>, facts: Facts): void {
  if (hasS3(view) || !usesS3(view, facts)) return
  throw new Failure('The services keep what must last in object storage, and nothing gives that any more.', {
    exit: EXIT.unsafe,
    next: 'Put the component that gave it (components/ceph) back into the file.',
  })
}

const TASK = unitOf('task')

/** Some node runs the data service and holds no store. */
const usesS3 = ({ cluster }: View<unknown>, facts: Facts): boolean =>
  cluster.nodes.some(
    ({ name }) => wasMoved(name, facts) || (keepsUnit(name, unitOf('data'), facts) && !holds(name, facts)),
  )

function keepsUnit(node: string, unit: string, facts: Facts): boolean {
  const answer = facts.peek(node, kept)
  return (
    answer.known &&
    answer.value.entries.some(e => e.component === 'runtime' && e.kind === 'unit' && e.name === unit)
  )
}
