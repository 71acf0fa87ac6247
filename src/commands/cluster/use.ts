import { resolve } from 'node:path'
import { EXIT, Failure } from '../../errors.ts'
import type { Command } from '../command.ts'
import { each } from '../values.ts'

interface Flags {
  url?: string[]
  keyFile?: string
  ca?: string
}

export const use: Command<Flags> = {
  name: 'use',
  summary: 'choose the cluster that commands talk to',
  arguments: [{ name: 'name', says: 'a name from `cluster list`, or a new one with --url' }],
  options: [
    {
      flag: '--url <url>',
      says: 'a gateway of a cluster that is not known yet; may be given several times',
      parse: each,
    },
    { flag: '--ca <file>', says: 'with --url: the CA certificate (PEM) to trust its gateways by' },
    { flag: '--key-file <file>', says: 'a file with the API key for it; `-` reads it from standard input' },
  ],
  example: 'llmagentos cluster use local',
  async run({ args, flags, json, io }) {
    const { Clusters, readCa, readKey, readSecret } = await import('../../runtime/index.ts')
    const name = checkedName(args[0]!)
    const clusters = new Clusters(io.env)
    if (flags.url) {
      const key =
        flags.keyFile === '-'
          ? await readSecret(io.stdin)
          : flags.keyFile
            ? readKey(resolve(io.cwd, flags.keyFile))
            : clusters.key(name)
      if (!key)
        throw new Failure(flags.keyFile ? `${flags.keyFile} holds no key.` : 'A new cluster needs a key.', {
          exit: EXIT.usage,
          next: 'Add --key-file FILE, or --key-file - and pipe it in.',
        })
      const ca = flags.ca === undefined ? undefined : readCa(resolve(io.cwd, flags.ca))
      clusters.put({ name, urls: flags.url.map(checkedUrl), ca })
      clusters.saveKey(name, key)
    }
    if (!clusters.get(name)) {
      const known = clusters.list().clusters.map(c => c.name)
      throw new Failure(`There is no cluster named ${name}.`, {
        exit: EXIT.usage,
        next: known.length > 0 ? `Known: ${known.join(', ')}.` : 'Add --url and --key-file.',
      })
    }
    clusters.use(name)
    if (json) io.print(JSON.stringify({ current: name }))
    else io.print(`Commands now talk to ${name}.`)
  },
}

/** Its key is kept in a file of that name. */
function checkedName(text: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(text)) return text
  throw new Failure(`${JSON.stringify(text)} is no name for a cluster.`, {
    exit: EXIT.usage,
    next: 'Use letters, digits, `-`, `_` and `.`, at most 63: office-1',
  })
}

function checkedUrl(text: string): string {
  if (/^https?:\/\/[^/\s]+\/?$/.test(text)) return text.replace(/\/$/, '')
  throw new Failure(`${text} is not the URL of a gateway.`, {
    exit: EXIT.usage,
    next: 'It looks like https://ai.example.org or http://127.0.0.1:7420.',
  })
}
