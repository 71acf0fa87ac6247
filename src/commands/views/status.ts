import type { Cluster, Status, WantedNode } from '../../provision/index.ts'

export interface Shown extends Status {
  cluster: Cluster
  /** Nodes that were to be looked at. */
  asked: WantedNode[]
}

type Finding = Status['components'][number]['findings'][number]

/** How the machines are, for people: nodes, health by component, lock, applied file. */
export function statusText(s: Shown): string[] {
  return [
    `${s.cluster.name}: ${inAWord(s)}`,
    '  nodes',
    ...nodeLines(s),
    '  components',
    ...s.components.flatMap(one => componentLines(one)),
    `  lock      ${lockLine(s)}`,
    `  applied   ${appliedLine(s)}`,
    `  file      ${fileLine(s)}`,
  ]
}

/** The same as one document. */
export function statusJson(s: Shown) {
  const { cluster, components, holder, applied, todo } = s
  return {
    cluster: cluster.name,
    healthy: worst(all(s)) !== 'bad' && s.silent.length === 0,
    nodes: cluster.nodes.map(({ name, address, roles, state }) => ({
      name,
      address,
      roles,
      state,
      ...answerOf(name, s),
    })),
    components: components.map(({ component, findings }) => ({
      component,
      level: worst(findings),
      findings,
    })),
    lock: holder && 'unknown' in holder ? { holder: null, unknown: holder.unknown } : { holder },
    applied: applied && {
      number: applied.number,
      when: applied.when,
      who: applied.who,
      version: applied.version,
    },
    todo,
  }
}

function inAWord(s: Shown): string {
  const { silent, asked } = s
  const without = silent.length > 0 ? `${silent.length} of ${asked.length} nodes not reached` : ''
  const health = { ok: 'healthy', warn: 'healthy, with warnings', unknown: 'healthy as far as it is known' }
  const level = worst(all(s))
  return [level === 'bad' ? 'not healthy' : without ? '' : health[level], without].filter(Boolean).join('; ')
}

/** Each node that did not answer, and in one line those that did, however many. */
function nodeLines(s: Shown): string[] {
  const of = (reached: boolean | undefined) =>
    s.cluster.nodes.filter(({ name }) => answerOf(name, s).reached === reached)
  const [reached, silent, others] = [of(true), of(false), of(undefined)]
  return [
    ...(reached.length > 0 ? [`    reached   ${names(reached.map(({ name }) => name))}`] : []),
    ...silent.map(({ name }) => `    NO ANSWER ${name}: ${answerOf(name, s).why}`),
    ...others.map(
      ({ name, state }) => `    not asked ${name}${state === 'offline' ? ' (state: offline)' : ''}`,
    ),
  ]
}

function answerOf(node: string, { asked, silent }: Shown): { reached?: boolean; why?: string } {
  const failed = silent.find(one => one.node === node)
  if (failed) return { reached: false, why: failed.why }
  return asked.some(({ name }) => name === node) ? { reached: true } : {}
}

/** The worst first; what is the same on several nodes is one line. */
function componentLines({ component, findings }: Status['components'][number]): string[] {
  const groups = new Map<string, Finding[]>()
  for (const one of findings) {
    const key = JSON.stringify([LEVELS.indexOf(one.level), one.says, one.fix])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  const lines = [...groups.values()]
    .toSorted(([a], [b]) => LEVELS.indexOf(b!.level) - LEVELS.indexOf(a!.level))
    .map(same => groupLine(same[0]!, same))
  return [`    ${component}`, ...(lines.length > 0 ? lines : ['      ok        as planned'])]
}

function groupLine({ level, says, fix }: Finding, same: Finding[]): string {
  const nodes = names(same.flatMap(({ node }) => node ?? []))
  const word = level === 'ok' ? 'ok' : level.toUpperCase()
  return `      ${word.padEnd(9)} ${nodes ? `${nodes}: ` : ''}${says}${fix && level !== 'ok' ? ` ${fix}` : ''}`
}

function lockLine({ holder }: Shown): string {
  if (!holder) return 'nobody has it'
  if ('unknown' in holder) return `unknown: ${holder.unknown}`
  return `${holder.who} has it since ${holder.since}: ${holder.doing}`
}

const appliedLine = ({ applied }: Shown) =>
  applied ? `number ${applied.number}, ${applied.when}, by ${applied.who}` : 'nothing was applied yet'

function fileLine({ todo }: Shown): string {
  if ('refused' in todo) return `cannot be applied: ${todo.refused}`
  const { steps, more } = todo
  if (steps === 0 && !more) return 'the machines are as it says'
  const first = `${steps} ${steps === 1 ? 'step' : 'steps'} to do${more ? ', and more after them' : ''}`
  return `${first}: llmagentos cluster plan`
}

const LEVELS: Finding['level'][] = ['ok', 'warn', 'unknown', 'bad']

const worst = (findings: Finding[]): Finding['level'] =>
  LEVELS[Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)))]!

const all = ({ components }: Shown) => components.flatMap(({ findings }) => findings)

const names = (some: string[]) =>
  some.length > 6 ? `${some.slice(0, 5).join(', ')} and ${some.length - 5} more` : some.join(', ')
