import { type AskAnswer, ask } from '../../contracts/ask.ts'
import { type ClusterStatus, clusterStatus } from '../../contracts/status.ts'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Client } from './index.ts'

/** Success is proved, not assumed: one real question through the gateway must come back answered, from our documentation. */
export async function proveAnswer(client: Client): Promise<AskAnswer> {
  try {
    const answer = await client.call(ask, { body: { question: 'What does llmagentos do?' } })
    if (answer.answer.trim() && answer.sources.length > 0) return answer
    throw new Failure('The answer was empty or named no source.', { exit: EXIT.unhealthy })
  } catch (thrown) {
    throw new Failure('The services run, but a question was not answered.', {
      exit: EXIT.unhealthy,
      why: reasonOf(thrown),
      next: 'See `llmagentos cluster status`.',
      cause: thrown,
    })
  }
}

/** For a cluster that nothing was changed on: every service says that it is ready. */
export async function proveHealthy(client: Client): Promise<ClusterStatus> {
  const status = await client.call(clusterStatus)
  if (status.healthy) return status
  const down = status.services.filter(s => !s.ready).map(s => s.name)
  throw new Failure(`The cluster runs, but not healthy: ${down.join(', ')}.`, {
    exit: EXIT.unhealthy,
    next: 'See `llmagentos cluster status`; `llmagentos cluster down && llmagentos cluster up` starts it anew.',
  })
}
