import { type Step, step } from '../../reconcile/step.ts'
import type { View } from '../component.ts'
import type { Told } from './broker.ts'
import { placed } from './names.ts'
import type { Config } from './schema.ts'

/** Copies of a queue: one broker may go, and each message is written three times. */
const COPIES = 3
const DEADLINE_MS = 120_000

/** Copies of the cluster's own quorum queues on brokers that came later: no series adds them by itself unless it is told to. */
export function queueSteps(view: View<Config>, { node, told }: { node: string; told: Told }): Step[] {
  const running = told.members.filter(member => member.running).map(member => member.name)
  const wanted = Math.min(COPIES, placed(view.cluster, view.config).length)
  return told.queues
    .filter(queue => ours(queue.name, view))
    .flatMap(({ vhost, name, members }) =>
      running
        .filter(broker => !members.includes(broker))
        .slice(0, Math.max(0, wanted - members.length))
        .map(broker =>
          step({
            node,
            says: `copy the queue ${name} to ${broker}`,
            risk: 'add',
            deadlineMs: DEADLINE_MS,
            act: { do: 'run', argv: ['rabbitmq-queues', '-q', 'add_member', name, broker, '--vhost', vhost] },
          }),
        ),
    )
}

/** By the beginning of its name. Debian's wrapper hands arguments to a shell, so nothing else may be in it. */
const ours = (name: string, { cluster }: View<Config>) =>
  name.startsWith(`${cluster.name}.`) && /^[A-Za-z0-9._-]+$/.test(name)
