import { EXIT, Failure } from '../errors.ts'
import type { Command } from './command.ts'

/** What `cluster up` starts in the background, and what a unit of a cluster's machine runs. */
export const serve: Command<{ config: string; cluster?: string }> = {
  name: 'serve',
  summary: 'run services from a config file, in the foreground',
  hidden: true,
  options: [
    { flag: '--config <file>', says: 'which services, and how' },
    { flag: '--cluster <name>', says: 'write the process down as that one-machine cluster' },
  ],
  example: 'llmagentos serve --config services.json',
  async run({ flags, io }) {
    if (!flags.config) throw new Failure('serve needs --config.', { exit: EXIT.usage })
    // Logs go there. A disk that is full for a while, or a reader that left, is no reason to end services.
    io.stdout.removeAllListeners('error').on('error', () => undefined)
    const { serveFile } = await import('../runtime/index.ts')
    await serveFile({ file: flags.config, cluster: flags.cluster, env: io.env, signal: io.signal })
  },
}
