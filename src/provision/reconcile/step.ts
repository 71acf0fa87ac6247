import { createHmac, randomBytes } from 'node:crypto'
import { Secret } from '../../secret.ts'
import type { Text } from '../connections/connection.ts'

export type Risk = 'add' | 'change' | 'restart' | 'destroy'

/** One change to one node, as data: it prints, diffs and goes to JSON. */
export interface Step {
  /** Digest of node and act: the same change has the same id within one run. */
  id: string
  node: string
  /** What it does, as plan, log, progress and journal show it: `write /etc/hosts: names of 3 nodes`. */
  says: string
  risk: Risk
  deadlineMs: number
  act: Act
  /** What the node's manifest says before the act begins, so that a crash forgets nothing. */
  leaves: Left[]
  /** What the manifest no longer says once the act is done. */
  takes: Left[]
}

export type Act =
  /** As root, without a shell; exit code 0 is success. */
  | { do: 'run'; argv: string[]; stdin?: Text }
  /** Whole and at once; the folder is made (0755) when it is missing. `owner` is `user:group`. */
  | { do: 'write'; path: string; text: Text; mode: number; owner: string }
  /** A verified artifact, put beside the old one whole, and linked last. */
  | { do: 'place'; artifact: string; path: string }
  /** A file or link; an absent one is fine. What was there before us comes back. */
  | { do: 'remove'; path: string }
  /** Until it exits 0. */
  | { do: 'wait'; argv: string[] }

/**
 * One line of a node's manifest. `held` is data or a vote: `up` never removes it. `block` is ours within a file of others,
 * `hold` the mark on a package, `opening` a rule in the machine's own firewall.
 */
export interface Left {
  component: string
  kind: 'file' | 'block' | 'unit' | 'package' | 'hold' | 'user' | 'opening' | 'held'
  name: string
  /** Of what we wrote (sha256), so that an edit by hand is told from a new version; the line's last field. */
  digest?: string
}

/** Its nodes run in parallel, the steps of one node in order; the next wave starts when the whole wave is done. */
export interface Wave {
  says: string
  steps: Step[]
  /** Nodes whose part could not be planned, and why. */
  stopped?: { node: string; why: string }[]
}

/** A step from its parts; `leaves` and `takes` default to nothing. */
export function step(
  o: Omit<Step, 'id' | 'leaves' | 'takes'> & Partial<Pick<Step, 'leaves' | 'takes'>>,
): Step {
  return { leaves: [], takes: [], ...o, id: idOf(o.node, o.act) }
}

// Ids of acts with secrets are keyed anew in each run, so that nobody can test guesses against a journal.
const KEY = randomBytes(32)

function idOf(node: string, act: Act): string {
  let secret = false
  const text = JSON.stringify([node, act], (_, value) => value)
  const revealed = Object.values(act).map(value => {
    if (!(value instanceof Secret)) return ''
    secret = true
    return value.reveal()
  })
  const key = secret ? KEY : 'llmagentos step'
  return createHmac('sha256', key)
    .update(text)
    .update('\0')
    .update(revealed.join('\0'))
    .digest('hex')
    .slice(0, 16)
}
