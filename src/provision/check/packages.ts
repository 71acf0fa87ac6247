import type { Finding } from '../components/component.ts'
import { type AptLock, aptLocks } from '../facts/apt-locks.ts'
import { packages as fact } from '../facts/packages.ts'
import { step } from '../reconcile/step.ts'
import { type Concern, naming, onEach, told } from './concern.ts'

/** Packages can be installed: dpkg was not interrupted, and nobody else has its lock. */
export const packages: Concern = {
  name: 'packages',
  facts: () => [fact, aptLocks],
  judge({ nodes }, facts) {
    const states = onEach({ nodes, facts, what: 'which packages it has' }, fact, ({ broken }): Finding[] => {
      if (broken.length === 0) return [{ level: 'ok', says: 'dpkg is whole.' }]
      return [
        {
          level: 'bad',
          says: `dpkg was interrupted: ${naming(broken)}.`,
          fix: 'Run there: dpkg --configure -a; apt-get -f install',
        },
      ]
    })
    const locks = onEach({ nodes, facts, what: 'who holds the locks of apt' }, aptLocks, held =>
      held.length === 0
        ? [{ level: 'ok', says: 'Nobody holds the locks of apt.' }]
        : [...new Set(held.map(holder))].map(who => ({
            level: 'warn',
            says: `The locks of apt are held by ${who}.`,
            fix: 'Let it finish; what it waits for: systemctl status apt-daily.service apt-daily-upgrade.service',
          })),
    )
    return [...states, ...locks]
  },
  repairs: ({ nodes }, facts) =>
    told(nodes, facts, fact)
      .filter(({ value }) => value.broken.length > 0)
      // Who holds the lock may be the one who is installing them.
      .filter(({ node }) => told([node], facts, aptLocks)[0]?.value.length === 0)
      .map(({ node, value }) =>
        step({
          node: node.name,
          says: `finish what dpkg was interrupted in: ${naming(value.broken)}`,
          risk: 'change',
          deadlineMs: 10 * 60_000,
          act: {
            do: 'run',
            argv: ['env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', '--force-confold', '--configure', '-a'],
          },
        }),
      ),
}

const holder = ({ pid, command }: AptLock) =>
  command ? `${command} (process ${pid})` : pid > 0 ? `process ${pid}` : 'a process outside its container'
