import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Item } from '../../os/item.ts'
import { fill } from '../../os/template.ts'
import type { CertificateItem } from '../../secrets/certificates/item.ts'
import type { View } from '../component.ts'
import { moveItems } from './grants.ts'
import { processesOf } from './layout.ts'
import { PACKAGES, SLICE } from './places.ts'
import { certificateItems, processItems } from './process-items.ts'
import { artifactsOn, programItems } from './program-items.ts'
import type { Config } from './schema.ts'
import { signerCertificates, signerItems } from './signer.ts'
import { storeOf } from './store.ts'
import { tendItems } from './tend.ts'
import { vipItems } from './vip.ts'

/** Every node gets the programs, and a unit for each process of ours that it runs. Throws UnknownFact, and Failure (3) where this installation lacks a program. */
export function items(view: View<Config>, facts: Facts, node: WantedNode): Item[] {
  const { bundle, node: interpreter } = artifactsOn(facts, node)
  return [
    ...serviceItems(view, facts, node),
    ...vipItems(view, facts, node),
    ...signerItems(view, facts, { node, programs: [bundle.name, interpreter.name] }),
    ...tendItems(view, facts, node),
  ]
}

/** Of the processes that are placed on the node, and of the signer. */
export const certificates = (view: View<Config>, facts: Facts, node: WantedNode): CertificateItem[] => [
  ...processesOf(view, storeOf(view, facts))
    .filter(({ nodes }) => nodes.includes(node))
    .flatMap(process => certificateItems(view, { node, process })),
  ...signerCertificates(view, node),
]

function serviceItems(view: View<Config>, facts: Facts, node: WantedNode): Item[] {
  const store = storeOf(view, facts)
  const all = processesOf(view, store)
  const own = all.filter(({ nodes }) => nodes.includes(node))
  const programs = programItems(facts, node)
  if (own.length === 0) return programs
  const { bundle, node: interpreter, searchIndex } = artifactsOn(facts, node)
  const names = [bundle.name, interpreter.name]
  const index: Item[] = own.some(({ services }) => services.includes('data'))
    ? [{ kind: 'release', path: PACKAGES, artifact: searchIndex.name, says: 'the search index' }]
    : []
  return [
    ...programs,
    ...index,
    slice(view),
    ...(store.kind === 'embedded' && store.home === node ? moveItems(view, node.name) : []),
    ...processItems(
      view,
      own.map(process => ({
        node,
        process,
        all,
        store,
        programs: process.services.includes('data') ? [...names, searchIndex.name] : names,
      })),
    ),
  ]
}

const slice = ({ config }: View<Config>): Item => ({
  kind: 'file',
  path: `/etc/systemd/system/${SLICE}`,
  text: fill(`runtime/${SLICE}`, { memory: config.memoryBytes }),
  mode: 0o644,
  owner: 'root:root',
  says: 'the most that our services may use together',
})
