import { EXIT, Failure } from '../../errors.ts'
import type { RunOptions } from '../../provision/index.ts'
import { Secret } from '../../secret.ts'
import type { Io } from '../command.ts'

export const atTerminal = (io: Io): boolean => io.stdin.isTTY === true && io.stderr.isTTY === true

/**
 * Asks for passphrases and for sudo's password: on the terminal alone, one at a time, each once. The password of a user counts for
 * all nodes. Where nobody can be asked they throw Failure: 4 for a passphrase, 3 for sudo.
 */
export function secretsFrom(io: Io, o: { sudo: string }): Pick<RunOptions, 'passphrase' | 'sudoPassword'> {
  let before: Promise<unknown> = Promise.resolve()
  const asked = (question: string): Promise<Secret> => {
    const answer = before.then(async () => {
      const { askSecret } = await import('../views/prompt.ts')
      return new Secret(await askSecret(question, io))
    })
    before = answer.catch(() => undefined)
    return answer
  }
  const passwords = new Map<string, Promise<Secret>>()
  return {
    async passphrase({ file, again }) {
      if (!atTerminal(io)) throw nobodyUnlocks(file)
      return asked(`${again ? 'That does not fit. ' : ''}Passphrase of ${file}:`)
    },
    async sudoPassword({ node, user }) {
      if (o.sudo === 'passwordless' || !atTerminal(io)) throw nobodyGives({ node, user, ...o })
      const password = passwords.get(user) ?? asked(`Password of ${user} for sudo on the nodes:`)
      passwords.set(user, password)
      return password
    },
  }
}

const nobodyUnlocks = (file: string) =>
  new Failure(`The key ${file} has a passphrase, and there is no terminal to ask for it.`, {
    exit: EXIT.unreachable,
    why: 'No key without a passphrase lets us in.',
    next: `Put it into the agent: ssh-add ${file}`,
  })

function nobodyGives(o: { node: string; user: string; sudo: string }): Failure {
  const wanted = `sudo on ${o.node} wants a password of ${o.user}`
  return o.sudo === 'passwordless'
    ? new Failure(`${wanted}, and cluster.yaml says that it does not.`, {
        exit: EXIT.preflight,
        next: `Allow it without there (NOPASSWD: ALL in /etc/sudoers.d), or write sudo: ask under ssh.`,
      })
    : new Failure(`${wanted}, and there is no terminal to ask for it.`, {
        exit: EXIT.preflight,
        next: `Run it on a terminal, or allow ${o.user} sudo without a password there (NOPASSWD: ALL in /etc/sudoers.d).`,
      })
}
