import type { Choice, RunOptions } from '../../provision/index.ts'
import type { Io } from '../command.ts'

// Debian's own /etc/ssh/ssh_config sets them; they change nothing of what our commands do.
const USUAL = /^(sendenv|hashknownhosts) of /
const MOST = 5

/** Says which nodes the system's ssh carries, and which ssh options are set aside. ssh2 without such options is not worth a word. */
export function sayWays(choices: Choice[], io: Io): void {
  const lines = [
    ...choices.filter(choice => choice.kind === 'system').map(choice => choice.says),
    ...choices
      .flatMap(choice => choice.aside)
      .filter(option => !USUAL.test(option))
      .map(option => `Set aside: ${option}.`),
  ]
  const unique = [...new Set(lines)]
  for (const line of unique.slice(0, MOST)) io.say(`note: ${line}`)
  if (unique.length > MOST) io.say(`note: ... and ${unique.length - MOST} more such lines.`)
}

/** Says once of each machine that its sshd is too old to be safe from somebody in between. */
export function sayWeak(io: Io): NonNullable<RunOptions['onWeak']> {
  const said = new Set<string>()
  return ({ machine, weak }) => {
    if (said.has(machine)) return
    said.add(machine)
    io.say(
      `warning: ${machine} speaks ${weak} without strict key exchange (CVE-2023-48795): update its openssh-server.`,
    )
  }
}
