import { EXIT, Failure } from '../../../errors.ts'
import { Secret } from '../../../secret.ts'
import { quote } from '../../connections/quote.ts'
import { asHolder } from '../locked.ts'
import type { Left, Step } from '../step.ts'
import { CACHE } from './places.ts'
import { LOAD, STEP } from './step.ts'

/** Of the run that a step belongs to. */
export interface RunOf {
  run: string
  /** `user@host` of the operator. */
  who: string
  number: number
  component: string
}

/** What a node is sent to run one step: the command, and its standard input, which alone may hold secrets. */
export function stepCommand(
  step: Step,
  o: RunOf & { attempt: number; sha256?: string },
): { argv: string[]; stdin: Buffer } {
  const parts = [STEP, stepFile(step, o), inputOf(step)].map(part => Buffer.from(part))
  const sizes = parts.map(part => String(part.length))
  return { argv: ['sh', '-c', LOAD, 'sh', ...sizes], stdin: Buffer.concat(parts) }
}

/** The manifest's line without its sign. Throws Failure for a name that would break a line. */
export function manifestLine({ component, kind, name, digest }: Left): string {
  if (/[\t\n]/.test(component + name) || name === '')
    throw new Failure(`${JSON.stringify(name)} cannot stand in a manifest.`, {
      exit: EXIT.ours,
      why: 'a name there has no tab and no line end, and is not empty',
    })
  return [component, kind, name, ...(digest ? [digest] : [])].join('\t')
}

/** Variables and positional parameters of the node's program. */
function stepFile(step: Step, o: RunOf & { attempt: number; sha256?: string }): string {
  if (!/^[\w.-]+$/.test(`${step.id}${o.run}`)) throw new Error(`not an id: ${step.id}, ${o.run}`)
  const { act } = step
  const ours = [...step.leaves, ...step.takes].some(
    left => left.kind === 'file' && 'path' in act && left.name === act.path,
  )
  const variables = {
    id: step.id,
    run: o.run,
    number: String(o.number),
    attempt: String(o.attempt),
    deadline: (step.deadlineMs / 1000).toFixed(3),
    says: step.says,
    about: about(step, o),
    leaves: step.leaves.map(manifestLine).join('\n'),
    takes: step.takes.map(manifestLine).join('\n'),
    ours: ours ? 'yes' : '',
  }
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quote([value])}`)
  return `${lines.join('\n')}\nset -- ${quote(words(step, o.sha256))}\n`
}

/** The fields of a journal line that are known beforehand, without braces. */
function about(step: Step, { run, who, number, component }: RunOf): string {
  const { node, says, risk, id } = step
  return JSON.stringify({ run, who: asHolder(who), number, component, node, says, risk, id }).slice(1, -1)
}

function words({ act }: Step, sha256 = ''): string[] {
  switch (act.do) {
    case 'run':
    case 'wait':
      return [act.do, ...act.argv]
    case 'write':
      return [act.do, absolute(act.path), act.mode.toString(8), act.owner]
    case 'remove':
      return [act.do, absolute(act.path)]
    case 'place':
      return [act.do, absolute(act.path), `${CACHE}/${sha256}`, sha256, sha256.slice(0, 16)]
  }
}

function absolute(path: string): string {
  if (!path.startsWith('/') || path.endsWith('/')) throw new Error(`not the whole path of a file: ${path}`)
  return path
}

function inputOf({ act }: Step): string {
  const text = act.do === 'run' ? (act.stdin ?? '') : act.do === 'write' ? act.text : ''
  return text instanceof Secret ? text.reveal() : text
}
