import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import type { Call, Command } from '../command.ts'

interface Flags {
  config?: string
}

/** Runs on a machine of the cluster, under a timer: the one command that is not for an operator's machine. */
export const tend: Command<Flags> = {
  name: 'tend',
  summary: 'on a machine of the cluster, as root: renew its certificates; a timer does this',
  options: [{ flag: '--config <file>', says: 'what to look after, in place of /etc/llmagentos/tend.json' }],
  example: 'llmagentos node exec --root -- llmagentos node tend',
  more: [
    'A certificate is renewed when a third of its life is left, by the control nodes in turn, under the certificate itself.',
    'Exit codes: 0 all are fresh, 4 no control node answered, 5 some could not be renewed. An ended one is for `cluster up`.',
  ].join('\n'),
  async run(call) {
    const { flags, io, json } = call
    const { tendNode } = await import('../../runtime/index.ts')
    const { TEND_FILE } = await import('../../contracts/certificates.ts')
    const outcomes = await tendNode({
      file: flags.config ?? TEND_FILE,
      env: io.env,
      signal: io.signal,
      say: line => (json ? io.say(line) : io.print(line)),
    })
    if (json) io.print(JSON.stringify({ certificates: outcomes }))
    return exitOf(outcomes, call)
  },
}

type Outcomes = Awaited<ReturnType<typeof import('../../runtime/index.ts').tendNode>>

function exitOf(outcomes: Outcomes, { json, io }: Call<Flags>): ExitCode {
  const failed = outcomes.filter(({ did }) => did === 'failed')
  if (failed.length === 0) {
    if (!json && outcomes.every(({ did }) => did === 'kept'))
      io.print(`${outcomes.length} ${outcomes.length === 1 ? 'certificate is' : 'certificates are'} fresh.`)
    return EXIT.ok
  }
  const alone = failed.every(one => one.alone)
  if (json) return alone ? EXIT.unreachable : EXIT.partial
  throw new Failure(`${failed.map(({ name }) => name).join(', ')} could not be renewed.`, {
    exit: alone ? EXIT.unreachable : EXIT.partial,
    why: failed.map(({ name, why }) => `${name}: ${why}`).join('\n'),
    next: 'The timer tries again; `llmagentos cluster up` from an operator’s machine renews them too.',
  })
}
