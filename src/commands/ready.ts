import { EXIT, Failure } from '../errors.ts'
import type { Command } from './command.ts'

/** For `cluster up`, on the node whose services the file describes: the next replica waits for this one. */
export const ready: Command<{ config: string }> = {
  name: 'ready',
  summary: 'say whether the services of a config file are ready',
  hidden: true,
  options: [{ flag: '--config <file>', says: 'which services' }],
  example: 'llmagentos ready --config services.json',
  async run({ flags, io }) {
    if (!flags.config) throw new Failure('ready needs --config.', { exit: EXIT.usage })
    const { readyFrom } = await import('../runtime/index.ts')
    await readyFrom({ file: flags.config, env: io.env, signal: io.signal })
  },
}
