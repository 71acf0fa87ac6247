import { EXIT, Failure } from '../../errors.ts'
import { silent } from '../../log.ts'
import type { Command, Io } from '../command.ts'

interface Flags {
  from: string
  to: string
}

export const migrate: Command<Flags> = {
  name: 'migrate',
  summary: 'move an embedded store into Ceph, on the machine that holds it',
  options: [
    { flag: '--from <folder>', says: 'the embedded store' },
    {
      flag: '--to <file>',
      says: 'JSON with the store in Ceph: {"s3": {...}}, as in the config of the service data',
    },
  ],
  example: 'llmagentos data migrate --from /var/lib/llmagentos-data/store --to /etc/llmagentos/store.json',
  more: `The service data has to be stopped: nothing is written meanwhile, and a store that a service holds is refused. Everything is copied, read back and
compared before the old store is marked as moved; a run that was interrupted goes on with the same command. \`llmagentos cluster up\` then has the
services use Ceph. The old folder stays as it is.`,
  async run({ flags, json, io }) {
    const { from, to } = needed(flags)
    const { migrateStore } = await import('../../runtime/index.ts')
    const done = await moved(
      () => migrateStore({ from, to, log: silent, signal: io.signal, say: io.say }),
      io,
    )
    if (json) return io.print(JSON.stringify(done))
    const what = `${done.records} records and ${done.blobs} objects (${done.bytes} bytes)`
    io.print(
      done.before
        ? `This store was moved at ${done.before}: ${what}. Nothing was done.`
        : `Moved and compared: ${what}. Now run \`llmagentos cluster up\`.`,
    )
  },
}

function needed({ from, to }: Partial<Flags>): Flags {
  if (from && to) return { from, to }
  throw new Failure('A move needs both --from FOLDER and --to FILE.', {
    exit: EXIT.usage,
    next: 'See `llmagentos data migrate --help`.',
  })
}

async function moved<T>(act: () => Promise<T>, io: Io): Promise<T> {
  return act().catch(thrown => {
    if (!io.signal.aborted) throw thrown
    throw new Failure('The move was interrupted; the embedded store is still the one that counts.', {
      exit: EXIT.interrupted,
      next: 'Run the same command again: it goes on where it was.',
      cause: thrown,
    })
  })
}
