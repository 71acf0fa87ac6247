import { type Left, type Step, step } from '../reconcile/step.ts'
import type { UserItem } from './item.ts'
import { left, type Now, shell } from './now.ts'

const USER_MS = 60_000

/** A user who was there before us is taken as he is, and stays. */
export function userSteps({ name, home, says }: UserItem, now: Now): Step[] {
  if (now.users.has(name)) return []
  const argv = ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', home]
  return [
    step({
      node: now.node,
      says: `add user ${name}: ${says}`,
      risk: 'add',
      deadlineMs: USER_MS,
      act: { do: 'run', argv: [...argv, '--shell', '/usr/sbin/nologin', name] },
      leaves: [left(now, 'user', name)],
    }),
  ]
}

export function goneUser(gone: Left, { node }: Now): Step {
  return step({
    node,
    says: `remove user ${gone.name}; its files stay`,
    risk: 'change',
    deadlineMs: USER_MS,
    act: shell('! grep -q "^$1:" /etc/passwd || exec userdel -- "$1"', gone.name),
    takes: [gone],
  })
}
