import { Failure } from '../../../src/errors.ts'
import { look } from '../../../src/provision/actions/look.ts'
import { restore } from '../../../src/provision/actions/restore.ts'
import { rotate } from '../../../src/provision/actions/rotate.ts'
import { up } from '../../../src/provision/actions/up.ts'
import { artifactSource } from '../../../src/provision/artifacts/index.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import { Connections } from '../../../src/provision/connections/connections.ts'
import { stepsOf } from '../../../src/provision/reconcile/plan.ts'
import { recoveredFrom } from '../../../src/provision/secrets/recovered.ts'
import { Secret } from '../../../src/secret.ts'
import { componentsOf, type Story } from './story.ts'

export interface Job {
  do: 'plan' | 'up' | 'rotate' | 'restore'
  who: string
  /** The cluster.yaml. */
  file: string
  story: Story
  knownHosts: string
  /** Of the secret to rotate. */
  name?: string
  recoveryFile?: string
  /** To restore. */
  recovered?: { cluster: string; secrets: Record<string, string> }
  replaceApplied?: number
}

/** A process that does what the CLI does, with a component of the story's. Says what happens as NDJSON; exits like the CLI. */
async function main(job: Job): Promise<number> {
  const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)
  const components = componentsOf(job.story)
  const cluster = parse(job.file, { env: {}, components })
  const nodes = cluster.nodes.filter(node => node.state !== 'offline')
  const all = new Connections({ config: 'none', env: {}, knownHosts: job.knownHosts })
  const connections = new Map(
    await Promise.all(
      nodes.map(async ({ name, ssh }) => [name, await all.to({ node: name, ...ssh })] as const),
    ),
  )
  const wanted = {
    cluster,
    components,
    nodes,
    connections,
    unreached: new Map(),
    base: undefined,
    forget: [],
    replaceApplied: job.replaceApplied,
    who: job.who,
    version: '0.1.0',
    recoveryFile: job.recoveryFile ?? '/nonexistent/recovery.age',
  }
  const options = {
    ...wanted,
    lockWaitMs: 0,
    artifacts: artifactSource(process.env),
    agree: async () => {},
    onEvent: (e: { type: string; step?: { says: string; node: string } }) =>
      say({ type: e.type, ...(e.step && { node: e.step.node, says: e.step.says }) }),
  }
  try {
    if (job.do === 'plan') {
      const { plans } = await look(wanted)
      say({ type: 'plan', steps: stepsOf(plans), later: plans.flatMap(plan => plan.later ?? []) })
      return 0
    }
    if (job.do === 'rotate') {
      await rotate({ ...options, name: job.name! })
      return 0
    }
    if (job.do === 'restore') {
      const text = new Secret(JSON.stringify({ format: 1, ...job.recovered }))
      say({ type: 'end', ...(await restore({ ...options, recovered: recoveredFrom(text, 'a file') })) })
      return 0
    }
    const { failed, changed, findings } = await up(options)
    for (const one of failed) say({ type: 'wrong', ...one, step: one.step.says })
    say({ type: 'end', changed, findings })
    return failed.length > 0 ? 5 : 0
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    say({ type: 'failure', exit: thrown.exit, message: thrown.message, why: thrown.why, next: thrown.next })
    return thrown.exit
  } finally {
    await all.close()
  }
}

process.exit(await main(JSON.parse(process.argv[2]!)))
