import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, type ExitCode, Failure, reasonOf } from '../../errors.ts'
import { Secret } from '../../secret.ts'
import type { Call, Io } from '../command.ts'
import { atTerminal, type MachineFlags, withMachines } from '../machines/index.ts'
import { progressOf } from '../views/up-progress.ts'
import { wantedOf } from './machines.ts'

interface Flags extends MachineFlags {
  lockWait?: number
  identity?: string
}

/** `cluster secrets restore FILE`. */
export async function restored({ flags, json, io }: Call<Flags>, file: string): Promise<ExitCode> {
  const { openRecovery, recoveredFrom, restore } = await import('../../provision/index.ts')
  const text = await openRecovery({
    file,
    bytes: read(file, io),
    identity: await identityFrom(flags, io),
    passphrase: of => asked(`Passphrase of ${of}:`, io),
  })
  const recovered = recoveredFrom(text, file)
  return withMachines({ flags, io }, async machines => {
    const progress = await progressOf({ json, io })
    const done = await restore({
      ...(await wantedOf(machines, { flags: {}, io })),
      recovered,
      lockWaitMs: flags.lockWait ?? 0,
      onEvent: event => progress.tell(event),
    }).finally(() => progress.stop())
    if (done.failed.length > 0)
      throw new Failure('Not all secrets were restored.', {
        exit: EXIT.partial,
        why: done.failed.map(({ step, why, stderr }) => `${step.says}: ${why} ${stderr}`).join('\n'),
        next: 'Mend that, then run the same command again: it goes on from there.',
      })
    if (json)
      io.print(JSON.stringify({ event: 'done', restored: done.restored, there: done.there, exit: EXIT.ok }))
    else if (done.restored.length === 0) io.print('All secrets of the file are there. Nothing was changed.')
    else {
      io.print(`${done.restored.join(', ')} ${done.restored.length === 1 ? 'is' : 'are'} restored.`)
      io.print('  next     llmagentos cluster up: it copies them to the other control nodes')
    }
    return EXIT.ok
  })
}

async function identityFrom({ identity }: Flags, io: Io): Promise<{ file: string; bytes: Uint8Array }> {
  if (identity) return { file: identity, bytes: read(identity, io) }
  const key = await asked('Identity that opens it (AGE-SECRET-KEY-...):', io)
  return { file: 'The identity', bytes: Buffer.from(key.reveal()) }
}

async function asked(question: string, io: Io): Promise<Secret> {
  if (!atTerminal(io))
    throw new Failure('A recovery file is opened with an identity, and there is nobody to ask for it.', {
      exit: EXIT.usage,
      next: 'Give the file of `age-keygen`, without a passphrase: --identity FILE',
    })
  const { askSecret } = await import('../views/prompt.ts')
  return new Secret((await askSecret(question, io)).trim())
}

function read(file: string, { cwd }: Io): Uint8Array {
  try {
    return readFileSync(resolve(cwd, file))
  } catch (thrown) {
    throw new Failure(`${file} cannot be read.`, { exit: EXIT.usage, why: reasonOf(thrown) })
  }
}
