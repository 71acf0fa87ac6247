import { Writable } from 'node:stream'
import { confirm, input, password } from '@inquirer/prompts'
import { EXIT, Failure } from '../../errors.ts'
import type { Io } from '../command.ts'

/** Asks the person at the terminal; what is asked goes to stderr, so that results stay clean. */
export function ask(question: string, io: Io): Promise<string> {
  return orInterrupted(input({ message: question }, terminalOf(io)))
}

/** The same for what nobody may see: nothing of the answer is shown, not its length either. */
export function askSecret(question: string, io: Io): Promise<string> {
  return orInterrupted(password({ message: question }, terminalOf(io)))
}

/** Yes or no; Enter alone is no. */
export function agree(question: string, io: Io): Promise<boolean> {
  return orInterrupted(confirm({ message: question, default: false }, terminalOf(io)))
}

const terminalOf = (io: Io) => ({
  input: io.stdin as NodeJS.ReadStream,
  output: lasting(io.stderr as NodeJS.WriteStream),
  signal: io.signal,
})

/** A prompt ends the stream that it writes to; there is more to say after it. */
function lasting(output: NodeJS.WriteStream): NodeJS.WritableStream {
  const through = new Writable({
    write: (chunk, _encoding, done) => void output.write(chunk, () => done()),
  })
  return Object.assign(through, { columns: output.columns, isTTY: output.isTTY })
}

/** A terminal in raw mode sends no SIGINT: the prompt sees Ctrl-C, and throws. */
async function orInterrupted<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (thrown) {
    if (thrown instanceof Error && /^(Exit|Abort)PromptError$/.test(thrown.name))
      throw new Failure('Interrupted.', { exit: EXIT.interrupted })
    throw thrown
  }
}
