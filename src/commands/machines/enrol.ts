import { EXIT, Failure } from '../../errors.ts'
import type { Connections, HostKey, Target } from '../../provision/index.ts'
import type { Io } from '../command.ts'
import { atTerminal } from './ask.ts'

export interface Enrolment {
  /** Why nothing can be run on a node, by its name: it was not reached. */
  failures: Map<string, Failure>
  /** Keys that nobody has vouched for, because nobody could be asked. */
  unknown: HostKey[]
}

/**
 * Reads the host keys of nodes (and of bastions before them) of which none is known, and adds those that are agreed to: by `accept`,
 * or by the person at the terminal, who sees all of them and is asked once. Nothing is run anywhere. Throws Failure (4) for a no.
 */
export async function enrolNew(o: {
  connections: Connections
  targets: Target[]
  accept: boolean
  io: Io
}): Promise<Enrolment> {
  const failures = new Map<string, Failure>()
  const added = new Set<string>()
  for (;;) {
    const reached = o.targets.filter(target => !failures.has(target.node))
    const found = await Promise.all(
      reached.map(target =>
        o.connections.newHostKey(target).catch(thrown => {
          if (!(thrown instanceof Failure) || thrown.exit === EXIT.interrupted) throw thrown
          failures.set(target.node, thrown)
        }),
      ),
    )
    // Nodes behind one bastion all bring its key.
    const keys = [...new Map(found.filter(isThere).map(key => [`${key.knownAs} ${key.blob}`, key])).values()]
    if (keys.length === 0) return { failures, unknown: [] }
    if (!o.accept && !atTerminal(o.io)) return { failures, unknown: keys }
    if (!o.accept) await agreedTo(keys, o.io)
    await o.connections.enrol(keys)
    // Else it would go on like this for ever.
    if (keys.some(key => added.has(key.blob)))
      throw new Error('host keys that were added are not found again')
    for (const key of keys) added.add(key.blob)
    if (o.accept) for (const key of keys) o.io.say(`Trusted from now on: ${key.node} with ${shown(key)}`)
  }
}

/** One error for all of them. */
export function unknownKeys(keys: HostKey[]): Failure {
  const whose = keys.map(key => key.node).join(', ')
  return new Failure(`No host key is known of ${whose}. Nothing was run anywhere.`, {
    exit: EXIT.unreachable,
    why: keys.map(key => `${key.node} (${key.knownAs}) shows ${shown(key)}`).join('\n'),
    next: 'Compare them with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on the consoles; then run it again with --accept-new-host-keys, or on a terminal.',
  })
}

async function agreedTo(keys: HostKey[], io: Io): Promise<void> {
  const [{ table }, { agree }] = await Promise.all([
    import('../views/table.ts'),
    import('../views/prompt.ts'),
  ])
  io.say('No host key is known of these machines. This is what they show:')
  io.say(
    table(
      ['MACHINE', 'ADDRESS', 'TYPE', 'FINGERPRINT'],
      keys.map(key => [key.node, key.knownAs, key.type, key.fingerprint]),
    ),
  )
  io.say('On its console each prints its own with: ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub')
  if (await agree(keys.length === 1 ? 'Trust it from now on?' : 'Trust all of them from now on?', io)) return
  throw new Failure('No host key was added. Nothing was run anywhere.', {
    exit: EXIT.unreachable,
    next: 'Where a fingerprint differs, somebody else may answer at that address.',
  })
}

const shown = (key: HostKey) => `${key.type} ${key.fingerprint}`

const isThere = (key: HostKey | void): key is HostKey => key !== undefined
