import { EXIT, Failure } from '../errors.ts'
import type { Command } from './command.ts'

/** What `llmagentos-signer.service` runs on control nodes. */
export const signer: Command<{ config?: string }> = {
  name: 'signer',
  summary: "renew certificates of the cluster's nodes, in the foreground",
  hidden: true,
  options: [{ flag: '--config <file>', says: 'whose certificates, and where to listen' }],
  example: 'llmagentos signer --config identities.json',
  async run({ flags, io }) {
    if (!flags.config) throw new Failure('signer needs --config.', { exit: EXIT.usage })
    io.stdout.removeAllListeners('error').on('error', () => undefined)
    const { serveSigner } = await import('../runtime/index.ts')
    await serveSigner({ file: flags.config, env: io.env, signal: io.signal })
  },
}
