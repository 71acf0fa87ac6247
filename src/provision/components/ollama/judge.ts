import { knownHoles } from '../../../contracts/ollama-holes.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import type { Finding, View } from '../component.ts'
import { answers } from './answers.ts'
import { COMPONENT, UNIT } from './names.ts'
import type { Config } from './schema.ts'

/** Whether each Ollama runs, and answers as the version that is wanted. */
export const judge = (view: View<Config>, facts: Facts): Finding[] =>
  view.nodes.map(node => ({ ...judged(view, facts, node), node: node.name }))

function judged(view: View<Config>, facts: Facts, { name }: WantedNode): Omit<Finding, 'node'> {
  const manifest = facts.peek(name, kept)
  if (!manifest.known) return { level: 'unknown', says: `It did not tell what we keep: ${manifest.why}.` }
  if (!manifest.value.entries.some(e => e.component === COMPONENT && e.name === UNIT))
    return { level: 'unknown', says: 'It has no Ollama yet.' }
  const look = `Look: llmagentos node logs ${name} ${UNIT}`
  const active = manifest.value.units.get(UNIT)?.active ?? 'gone'
  if (active !== 'active') return { level: 'bad', says: `Its Ollama is ${active}.`, fix: 'Run `cluster up`.' }
  const answer = facts.peek(name, answers(view))
  if (!answer.known) return { level: 'unknown', says: `Its Ollama did not tell how it is: ${answer.why}.` }
  const { version } = answer.value
  if (!version) return { level: 'bad', says: 'Its Ollama runs, and does not answer.', fix: look }
  const holes = knownHoles(version)
  if (holes) return { level: 'warn', says: holes, fix: 'Write a newer one at components/ollama/release.' }
  return { level: 'ok', says: `Ollama ${version} answers.` }
}
