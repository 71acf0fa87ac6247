import { EXIT, Failure, reasonOf } from '../../errors.ts'
import { Dropped, LoginRefused } from './carrier.ts'
import type { SshWay } from './ssh.ts'

/** Why there is no connection, from where it ended. The host key is judged elsewhere. */
export function refusal(way: SshWay, o: { stage: string; thrown: unknown; exhausted: boolean }): Failure {
  const { stage, thrown, exhausted } = o
  const offered = way.offers.map(offer => offer.says).join(', ') || 'none'
  if (exhausted || /authentication failures/i.test(reasonOf(thrown)))
    return new LoginRefused(`${way.machine} refuses the login of ${way.user}.`, {
      exit: EXIT.unreachable,
      why: exhausted
        ? `It took none of our keys: ${offered}.`
        : `${reasonOf(thrown)}. Offered were: ${offered}.`,
      next: `Put the public key into ~${way.user}/.ssh/authorized_keys there, or name another user or key (ssh.user, ssh.identityFile).`,
      cause: thrown,
    })
  const late = (thrown as { level?: string }).level === 'client-timeout'
  const dropped = /before handshake|ECONNRESET/.test(reasonOf(thrown))
  return new (dropped ? Dropped : Failure)(`${way.machine} did not finish ${stage}.`, {
    exit: EXIT.unreachable,
    why: late
      ? `${way.host} port ${way.port} took longer than ${way.handshakeMs / 1000} s.`
      : reasonOf(thrown),
    next: 'Look at the log of sshd there: journalctl -u ssh.',
    cause: thrown,
  })
}
