import { Secret } from '../../../secret.ts'
import { fill } from '../../os/template.ts'
import { type Step, step } from '../../reconcile/step.ts'

const DEADLINE_MS = 120_000

/** One command to the mons, as JSON names it. */
export interface Command {
  cmd: { prefix: string; [argument: string]: unknown }
  /** What the command reads, such as a keyring. */
  in?: string
  /** Errors that are none here: -2 is "it is not there". */
  fine?: number[]
  /** After `config set`: writes down what the option became, under this key. */
  remember?: { key: string; wanted: string }
}

/** A step that says commands to the mons through the one of `node`. They travel on standard input: keys are in no argument. */
export const tell = (o: {
  node: string
  says: string
  risk?: Step['risk']
  commands: Command[]
  deadlineMs?: number
}): Step =>
  step({
    node: o.node,
    says: o.says,
    risk: o.risk ?? 'add',
    deadlineMs: o.deadlineMs ?? DEADLINE_MS,
    act: {
      do: 'run',
      argv: ['python3', '-c', fill('ceph/tell.py', {}), o.node],
      stdin: new Secret(JSON.stringify(o.commands)),
    },
  })
