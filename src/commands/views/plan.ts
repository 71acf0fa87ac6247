import type { ComponentPlan, Step } from '../../provision/index.ts'

interface Shown {
  /** What a write changes in a file, by the step's id. */
  diffs?: Map<string, string>
}

const SIGNS = { add: '+', change: '~', restart: '!', destroy: '-' } as const

/** A plan for people: by component and node, one line for each step, what changes in a file below it. */
export function planText(plans: ComponentPlan[], o: Shown & { cluster: string }): string[] {
  const steps = plans.flatMap(plan => stepsIn(plan))
  if (steps.length === 0) return [`${o.cluster} is as its cluster.yaml says. Nothing to do.`]
  const nodes = new Set(steps.map(step => step.node))
  const head = `${o.cluster}: ${count(steps.length, 'step')} on ${count(nodes.size, 'node')}   + add   ~ change   ! restart   - destroy`
  return [
    head,
    ...plans.flatMap(plan => [
      `  ${plan.component}`,
      ...byNode(plan).flatMap(([node, own]) => lane(node, own, o)),
      ...(plan.later ? [`    then: more once ${plan.later}`] : []),
    ]),
  ]
}

/** The same as one document. */
export function planJson(plans: ComponentPlan[], o: Shown & { silent: { node: string; why: string }[] }) {
  return {
    steps: plans.flatMap(plan =>
      stepsIn(plan).map(step => ({ component: plan.component, ...stepJson(step, o) })),
    ),
    later: plans.flatMap(({ component, later }) => (later ? [{ component, until: later }] : [])),
    silent: o.silent,
  }
}

function lane(node: string, steps: Step[], { diffs }: Shown): string[] {
  return [
    `    ${node}`,
    ...steps.flatMap(step => [
      `      ${SIGNS[step.risk]} ${step.says}`,
      ...(diffs?.get(step.id)?.split('\n') ?? []).filter(Boolean).map(line => `          ${line}`),
    ]),
  ]
}

function stepJson({ id, node, says, risk }: Step, { diffs }: Shown) {
  return { id, node, says, risk, ...(diffs?.has(id) && { diff: diffs.get(id) }) }
}

const stepsIn = (plan: ComponentPlan) => plan.waves.flatMap(wave => wave.steps)

function byNode(plan: ComponentPlan): [string, Step[]][] {
  const lanes = new Map<string, Step[]>()
  for (const step of stepsIn(plan)) lanes.set(step.node, [...(lanes.get(step.node) ?? []), step])
  return [...lanes]
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
