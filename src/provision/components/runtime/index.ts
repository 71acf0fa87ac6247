import { EXIT, Failure } from '../../../errors.ts'
import { placed } from '../../artifacts/fact.ts'
import { type Facts, UnknownFact } from '../../facts/fact.ts'
import { os } from '../../facts/os.ts'
import { itemSteps, waveOver } from '../../os/index.ts'
import type { Step, Wave } from '../../reconcile/step.ts'
import type { Component, View } from '../component.ts'
import { healthOf, untilServing } from './health.ts'
import { homeOf, keepHere } from './home.ts'
import { items } from './items.ts'
import { judge } from './judge.ts'
import { UNIT } from './places.ts'
import { prove } from './prove.ts'
import { type Config, schema } from './schema.ts'

const GIB = 1024 ** 3

/** Our own services. Until there is a store for many, all of them run on one control node, beside the store on its disk. */
export const runtime: Component<Config> = {
  name: 'runtime',
  schema,
  needs: [],
  gives: [],
  usual: false,
  placed: cluster => cluster.nodes,
  ports: ({ cluster }) =>
    cluster.nodes
      .filter(node => node.roles.includes('control'))
      .map(({ name }) => ({
        node: name,
        port: cluster.gateway.port,
        protocol: 'tcp',
        from: 'loopback',
        by: 'the gateway',
        path: ['gateway', 'port'],
      })),
  // Any control node may hold the store; two releases lie there while one takes over from the other.
  uses: ({ config }, node) => ({
    memoryBytes: node.roles.includes('control') ? config.memoryBytes : 0,
    disk: [{ path: '/opt', bytes: GIB }],
  }),
  facts: ({ cluster }) => [os, placed, healthOf(cluster.gateway.port)],
  refuse({ config }) {
    const { maxStaleMs } = config.auth
    if (maxStaleMs >= 1_000 && maxStaleMs <= 60_000) return
    throw new Failure('components/runtime/auth/maxStale must be from 1s to 1m.', { exit: EXIT.usage })
  },
  items,
  plan(view, facts) {
    const steps = new Map<string, Step[]>()
    const programs = waveOver(view, 'runtime: programs and settings', name => {
      const node = view.nodes.find(n => n.name === name)!
      const all = itemSteps({ node: name, component: 'runtime', items: items(view, facts, node), facts })
      steps.set(name, [...(homeOf(view, facts) === node ? keepHere(name, facts) : []), ...all])
      return steps.get(name)!.filter(step => !isService(step))
    })
    const services = view.nodes.flatMap(({ name }): Wave[] => {
      const own = (steps.get(name) ?? []).filter(isService)
      const waits =
        own.length > 0 || (steps.has(name) && isHome(view, facts, name) && !serves(view, facts, name))
      return waits
        ? [
            {
              says: `runtime: services on ${name}`,
              steps: [...own, untilServing(name, view.cluster.gateway.port)],
            },
          ]
        : []
    })
    return [...programs, ...services]
  },
  judge,
  prove,
}

const isService = ({ act }: Step) => act.do === 'run' && act.argv.includes(UNIT)

const serves = (view: View<Config>, facts: Facts, node: string) =>
  facts.get(node, healthOf(view.cluster.gateway.port))

function isHome(view: View<Config>, facts: Facts, node: string): boolean {
  try {
    return homeOf(view, facts).name === node
  } catch (thrown) {
    if (thrown instanceof UnknownFact) return false
    throw thrown
  }
}
