import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'

/** Names of the users that the node has of its own; those of a directory are not listed. */
export const users: Fact<Set<string>> = {
  id: 'users',
  deadlineMs: 5_000,
  script: 'exec cut -d: -f1 /etc/passwd',
  parse: stdout => new Set(linesOf(stdout)),
}
