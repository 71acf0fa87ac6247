import { EXIT, Failure } from '../../../errors.ts'
import type { Facts } from '../../facts/fact.ts'
import { kept } from '../../facts/kept.ts'
import type { View } from '../component.ts'
import { data } from './broker.ts'
import { brokerName, COMPONENT, DATA, placed } from './names.ts'
import type { Config } from './schema.ts'
import { seriesOf, versionOf } from './series.ts'

/** Throws Failure: 2 for an even number of brokers, 4 where those may be away who have the data, 9 for what cannot become one cluster. */
export function refuse(view: View<Config>, facts: Facts): void {
  oddNumber(view)
  oneSeries(view, facts)
  for (const node of view.nodes) ownData(view, { facts, node })
  enough(view, facts)
}

function oddNumber({ cluster, config }: View<Config>): void {
  const nodes = placed(cluster, config).map(node => node.name)
  if ([1, 3, 5].includes(nodes.length)) return
  throw new Failure(
    `RabbitMQ would be on ${nodes.length} nodes${nodes.length ? `: ${nodes.join(', ')}` : ''}.`,
    {
      exit: EXIT.usage,
      why: 'a majority of an even number bears no more failures than one node less would',
      next: 'Write components/rabbitmq/on so that it means 1, 3 or 5 nodes.',
    },
  )
}

function oneSeries(view: View<Config>, facts: Facts): void {
  const told = view.nodes.flatMap(node => {
    const version = versionOf(node, facts)
    return version ? [{ node: node.name, version, series: seriesOf(version) }] : []
  })
  if (new Set(told.map(({ series }) => series)).size < 2) return
  throw new Failure(
    'Brokers of different series of RabbitMQ do not make a cluster, and nothing was changed.',
    {
      exit: EXIT.unsafe,
      why: told.map(({ node, version }) => `${node} would have ${version}`).join(', '),
      next: 'Place it on nodes of one release of Debian (components/rabbitmq/on), or bring the others to that release.',
    },
  )
}

function ownData(view: View<Config>, o: { facts: Facts; node: View<Config>['nodes'][number] }): void {
  const { name } = o.node
  const [answer, manifest] = [o.facts.peek(name, data), o.facts.peek(name, kept)]
  if (!answer.known || !manifest.known || answer.value.length === 0) return
  const wanted = brokerName(view.cluster, o.node)
  const ours = manifest.value.entries.some(e => e.component === COMPONENT && e.kind === 'held')
  const odd = ours ? answer.value.filter(found => found !== wanted) : answer.value
  if (odd.length === 0) return
  throw new Failure(
    ours
      ? `The broker of ${name} is ${odd.join(', ')}, and would become ${wanted}.`
      : `${name} has the data of a broker that is not of this cluster: ${odd.join(', ')}.`,
    {
      exit: EXIT.unsafe,
      why: ours
        ? 'with another name it would begin anew, without its queues'
        : `it lies in ${DATA}; nothing was changed`,
      next: ours
        ? 'Give network/domain its earlier value.'
        : `Move ${DATA} away on ${name}, or place RabbitMQ elsewhere (components/rabbitmq/on).`,
    },
  )
}

/** A few blank nodes do not begin a second cluster while the others, who may have the first one, are away. */
function enough(view: View<Config>, facts: Facts): void {
  const all = placed(view.cluster, view.config)
  const blank = view.nodes.every(({ name }) => {
    const answer = facts.peek(name, data)
    return answer.known && answer.value.length === 0
  })
  if (!blank || view.nodes.length === 0 || view.nodes.length > all.length / 2) return
  const away = all.filter(node => !view.nodes.includes(node)).map(node => node.name)
  throw new Failure(`RabbitMQ cannot begin on ${view.nodes.map(node => node.name).join(', ')} alone.`, {
    exit: EXIT.unreachable,
    why: `${away.join(', ')} may have its data; nothing was changed`,
    next: `Let ${away.join(', ')} take part: without \`state: offline\` and \`--on\`.`,
  })
}
