import { Failure } from '../../../src/errors.ts'
import { Connections } from '../../../src/provision/connections/connections.ts'
import { applyWaves } from '../../../src/provision/reconcile/apply.ts'
import { fence } from '../../../src/provision/reconcile/fence.ts'
import { lockHolder, takeLock } from '../../../src/provision/reconcile/lock.ts'
import { type Step, step } from '../../../src/provision/reconcile/step.ts'

/** What this program is told: the nodes of a lab, and commands to run one after the other. */
export interface Job {
  who: string
  run: string
  waitMs: number
  /** The lock's number is higher. */
  above?: number
  knownHosts: string
  key: string
  nodes: { name: string; address: string }[]
  steps: Omit<Step, 'id'>[]
}

/** A process that does what a CLI does: lock, fence, apply, release. Says what happens as NDJSON; exits like the CLI. */
async function main(job: Job): Promise<number> {
  const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)
  const all = new Connections({ config: 'none', env: {}, knownHosts: job.knownHosts })
  const connections = new Map(
    await Promise.all(
      job.nodes.map(async ({ name, address }) => {
        const target = { node: name, host: address, user: 'ops', identityFile: job.key }
        return [name, await all.to(target)] as const
      }),
    ),
  )
  const control = [...connections.values()]
  try {
    const lock = await takeLock(control, {
      who: job.who,
      doing: 'a story',
      waitMs: job.waitMs,
      above: job.above,
    })
    say({ type: 'locked', number: lock.number })
    await fence(control, lock.number, { deadlineMs: 120_000, onWait: o => say({ type: 'waits', ...o }) })
    const { failed } = await applyWaves([{ says: 'the story', steps: job.steps.map(step) }], {
      connections,
      run: job.run,
      who: job.who,
      number: lock.number,
      component: 'story',
      signal: lock.signal,
      holder: () => lockHolder(control),
      onEvent: e => say({ type: e.type, says: 'step' in e ? e.step.says : e.says }),
    })
    lock.signal.throwIfAborted()
    await lock.release()
    return failed.length > 0 ? 5 : 0
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    say({ type: 'failure', exit: thrown.exit, message: thrown.message, why: thrown.why })
    return thrown.exit
  } finally {
    await all.close()
  }
}

process.exit(await main(JSON.parse(process.argv[2]!)))
