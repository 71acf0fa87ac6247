import { EXIT, Failure } from '../../errors.ts'
import type { Io } from '../command.ts'
import { atTerminal } from '../machines/index.ts'

/** What is destroyed is agreed to by its name, typed or given with --confirm; nothing else counts as a yes. */
export interface Confirmation {
  name: string
  confirmed: string | undefined
  /** What the name is, behind "is not": the name of the cluster unless said. */
  isName?: string
  /** The command with which it goes without a question. */
  again: string
  what: string
  /** In its place where there is nobody to ask. */
  refusal?: string
}

/** Throws Failure (9) for another name than the one it is about. */
export function saysName({ name, confirmed, again, isName }: Confirmation): void {
  if (confirmed === undefined || confirmed === name) return
  throw new Failure(`--confirm ${confirmed} is not ${isName ?? OF_CLUSTER}.`, {
    exit: EXIT.unsafe,
    next: again,
  })
}

/** Throws Failure (9) unless the name was given or is typed now. */
export async function agreeByName(o: Confirmation, { json, io }: { json: boolean; io: Io }): Promise<void> {
  saysName(o)
  if (o.confirmed === o.name) return
  if (json || !atTerminal(io)) throw new Failure(o.refusal ?? o.what, { exit: EXIT.unsafe, next: o.again })
  const { ask } = await import('../views/prompt.ts')
  if ((await ask(`${o.what} Type ${o.name} to go on:`, io)) === o.name) return
  throw new Failure('Nothing was removed.', {
    exit: EXIT.unsafe,
    why: `What was typed is not ${o.isName ?? OF_CLUSTER}.`,
  })
}

const OF_CLUSTER = 'the name of the cluster'
