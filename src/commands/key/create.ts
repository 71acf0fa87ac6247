import type { KeyInfo } from '../../contracts/auth.ts'
import type { Scope } from '../../contracts/identity.ts'
import { EXIT, Failure } from '../../errors.ts'
import type { Command, Io } from '../command.ts'
import { each, wholeNumber } from '../values.ts'
import { seconds } from './duration.ts'
import type { KeyFile } from './key-file.ts'

interface Flags {
  user?: string
  scope?: string[]
  model?: string[]
  rpm?: number
  tpm?: number
  expires?: number
  save?: string
}

export const create: Command<Flags> = {
  name: 'create',
  summary: 'create an API key and print it, this once',
  arguments: [{ name: 'name', says: 'what it is for' }],
  options: [
    { flag: '--user <name>', says: 'another user; needs the scope users' },
    { flag: '--scope <scope>', says: 'what it may do; may be given several times', parse: each },
    { flag: '--model <name>', says: 'the only model it may use; may be given several times', parse: each },
    { flag: '--rpm <number>', says: 'requests per minute', parse: wholeNumber({ from: 1, to: 1_000_000 }) },
    { flag: '--tpm <number>', says: 'tokens per minute', parse: wholeNumber({ from: 1, to: 1_000_000_000 }) },
    { flag: '--expires <time>', says: 'how long it lasts: 45s, 90m, 12h, 30d', parse: seconds },
    { flag: '--save <file>', says: 'write it to a new file that only you can read, print nothing' },
  ],
  example: 'KEY=$(llmagentos key create ci --scope ask --expires 30d)',
  more: 'Without --scope and the like the key may do what the key that asks may do, within the role of its user.',
  async run({ args, flags, json, io }) {
    const scopes = await scopesOf(flags.scope)
    const { openClient } = await import('../../runtime/index.ts')
    const { createKey } = await import('../../contracts/auth.ts')
    const { keyFile } = await import('./key-file.ts')
    const client = await openClient(io)
    let file: KeyFile | undefined
    try {
      if (flags.save !== undefined) file = keyFile(flags.save, io)
      const { key, info } = await client.call(createKey, {
        body: {
          name: args[0]!,
          user: flags.user,
          scopes,
          models: flags.model,
          limits: limitsOf(flags),
          expiresInSeconds: flags.expires,
        },
      })
      file?.write(key)
      if (json) return io.print(JSON.stringify(file ? { file: file.path, info } : { key, info }))
      if (file) io.say(`Saved to ${file.path}.`)
      else io.print(key)
      tell(info, io)
    } catch (thrown) {
      file?.discard()
      throw thrown
    } finally {
      await client.close()
    }
  },
}

async function scopesOf(given: string[] | undefined): Promise<Scope[] | undefined> {
  if (!given) return undefined
  const { SCOPES } = await import('../../contracts/identity.ts')
  return [...new Set(given)].map(text => {
    const scope = SCOPES.find(s => s === text)
    if (scope) return scope
    throw new Failure(`There is no scope ${text}.`, {
      exit: EXIT.usage,
      next: `Scopes are: ${SCOPES.join(', ')}`,
    })
  })
}

function limitsOf({ rpm, tpm }: Flags) {
  if (rpm === undefined && tpm === undefined) return undefined
  return {
    ...(rpm !== undefined && { requestsPerMinute: rpm }),
    ...(tpm !== undefined && { tokensPerMinute: tpm }),
  }
}

function tell(info: KeyInfo, io: Io): void {
  const end = info.expires ? `until ${info.expires}` : 'until it is revoked'
  io.say(`Key ${info.id} (${info.name}) of ${info.user} may ${info.scopes.join(', ')} ${end}.`)
  io.say(`It is not shown again. To end it: llmagentos key revoke ${info.id}`)
}
