import type { Facts } from '../../facts/fact.ts'
import { itemWaves } from '../../os/index.ts'
import { type Step, step, type Wave } from '../../reconcile/step.ts'
import type { Component, View } from '../component.ts'
import { IS_UP } from './answers.ts'
import { UNIT } from './names.ts'
import type { Config } from './schema.ts'

const START_MS = 2 * 60_000

/** Whatever starts it is followed by a wait until it answers, in the version that was placed. */
export const plan = (component: Component<Config>, view: View<Config>, facts: Facts): Wave[] =>
  itemWaves(component, view, facts).map(wave => ({
    ...wave,
    steps: wave.steps.flatMap(one => (isStart(one) ? [one, answering(one.node, view.config)] : [one])),
  }))

const isStart = ({ act }: Step) =>
  act.do === 'run' &&
  act.argv.at(-1) === UNIT &&
  act.argv.some(word => word === 'start' || word === 'restart' || word === '--now')

const answering = (node: string, { port, release }: Config): Step =>
  step({
    node,
    says: `wait until Ollama ${release} answers`,
    risk: 'add',
    deadlineMs: START_MS,
    act: { do: 'wait', argv: ['bash', '-c', IS_UP, 'bash', String(port), release] },
  })
