import { EXIT, Failure } from '../errors.ts'
import type { Command } from './command.ts'

/** For `cluster up`, on a node that runs auth: whoever may enter the folder of its sockets, or read its private key, owns the cluster. */
export const adminKey: Command<{ config: string }> = {
  name: 'admin-key',
  summary: 'print a fresh key of user admin, from the services of a config file',
  hidden: true,
  options: [{ flag: '--config <file>', says: 'which services' }],
  example: 'llmagentos admin-key --config services.json',
  async run({ flags, io }) {
    if (!flags.config) throw new Failure('admin-key needs --config.', { exit: EXIT.usage })
    const { adminKeyFrom } = await import('../runtime/index.ts')
    const key = await adminKeyFrom({ file: flags.config, env: io.env, signal: io.signal })
    io.print(key.reveal())
  },
}
