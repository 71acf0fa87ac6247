import type { WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import type { Finding, View } from '../component.ts'
import { broker, type Told } from './broker.ts'
import { brokerName, COMPONENT, placed, UNIT } from './names.ts'
import type { Config } from './schema.ts'

type Said = Omit<Finding, 'node'>

/** How each broker is, and how the cluster is that it sees. */
export const judge = (view: View<Config>, facts: Facts): Finding[] =>
  view.nodes.flatMap(node => judged(view, facts, node).map(said => ({ ...said, node: node.name })))

function judged(view: View<Config>, facts: Facts, { name }: WantedNode): Said[] {
  const manifest = facts.peek(name, kept)
  if (!manifest.known) return [{ level: 'unknown', says: `It did not tell what we keep: ${manifest.why}.` }]
  if (!manifest.value.entries.some(e => e.component === COMPONENT && e.name === UNIT))
    return [{ level: 'unknown', says: 'It has no broker yet.' }]
  const active = manifest.value.units.get(UNIT)?.active ?? 'gone'
  if (active !== 'active')
    return [{ level: 'bad', says: `Its broker is ${active}.`, fix: 'Run `cluster up`.' }]
  const answer = facts.peek(name, broker)
  if (!answer.known) return [{ level: 'unknown', says: `Its broker did not tell how it is: ${answer.why}.` }]
  const { value } = answer
  if (value.state === 'up') return cluster(view, value)
  const says =
    value.state === 'refused'
      ? 'Its broker does not know our password.'
      : 'Its broker runs, and does not answer.'
  return [{ level: 'bad', says, fix: 'Run `cluster up`.' }]
}

function cluster({ cluster: wanted, config }: View<Config>, told: Told): Said[] {
  const names = placed(wanted, config).map(node => brokerName(wanted, node))
  const missing = names.filter(name => !told.members.some(member => member.name === name))
  const extra = told.members.filter(member => !names.includes(member.name)).map(member => member.name)
  const running = told.members.filter(member => member.running)
  const silent = told.members.filter(member => !member.running).map(member => member.name)
  const split = told.members.filter(member => member.partitions.length > 0).map(member => member.name)
  const bad: Said[] = [
    ...(running.length <= told.members.length / 2
      ? [
          {
            level: 'bad' as const,
            says: `It sees ${running.length} of ${told.members.length} brokers, which is no majority.`,
          },
        ]
      : []),
    ...split.map(name => ({
      level: 'bad' as const,
      says: `${name} is cut off from some brokers that run.`,
      fix: 'Look at the network between them; then restart the one with fewer partners.',
    })),
    ...told.alarms.map(alarm => ({
      level: 'bad' as const,
      says: `Nobody can publish: ${alarm} is short.`,
      fix: 'Free space there, or let it use more (components/rabbitmq/memory, diskFree).',
    })),
    ...missing.map(name => ({
      level: 'bad' as const,
      says: `${name} is no member of its cluster.`,
      fix: 'Run `cluster up`.',
    })),
    ...silent.map(name => ({ level: 'warn' as const, says: `It does not see ${name}.` })),
    ...extra.map(name => ({ level: 'warn' as const, says: `${name} is a member, and not in the file.` })),
  ]
  return bad.length > 0
    ? bad
    : [{ level: 'ok', says: `It runs, with ${running.length} of ${names.length} brokers.` }]
}
