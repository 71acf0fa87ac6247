import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { EXIT, Failure } from '../../errors.ts'
import type { Command } from '../command.ts'
import { inputOf } from './input.ts'
import { mediaType, typeOf } from './types.ts'

interface Flags {
  name?: string
  replace?: boolean
  type?: string
}

export const put: Command<Flags> = {
  name: 'put',
  summary: 'store a file as an object',
  arguments: [{ name: 'file', says: 'the file; - for standard input' }],
  options: [
    { flag: '--name <name>', says: 'name of the object; else that of the file' },
    { flag: '--replace', says: 'store the next version when the name is taken' },
    { flag: '--type <type>', says: 'media type; else by the ending of the name', parse: mediaType },
  ],
  example: 'llmagentos data put report.pdf --name reports/2026/q1.pdf',
  async run({ args, flags, json, io }) {
    const name = nameOf(args[0]!, flags.name)
    const input = await inputOf(args[0]!, io)
    const { openClient } = await import('../../runtime/index.ts')
    const { putObject } = await import('../../contracts/objects.ts')
    const client = await openClient(io)
    let hash = createHash('sha256')
    const upload = () => {
      hash = createHash('sha256')
      const body = Readable.from(hashed(input.read(), hash), { objectMode: false })
      // Whoever waits for the answer hears of it.
      body.on('error', () => {})
      return body
    }
    try {
      const stored = await client.call(putObject, {
        params: { '*': name },
        query: { replace: flags.replace },
        upload: input.bytes === undefined ? upload() : upload,
        headers: {
          'content-type': flags.type ?? typeOf(name),
          ...(input.bytes !== undefined && { 'content-length': String(input.bytes) }),
        },
      })
      if (stored.sha256 !== hash.digest('hex')) throw garbled(name)
      const version = stored.version > 1 ? `, version ${stored.version}` : ''
      io.print(json ? JSON.stringify(stored) : `Stored ${stored.name} (${stored.bytes} bytes${version}).`)
    } finally {
      await client.close()
      await input.close()
    }
  },
}

async function* hashed(stream: Readable, hash: { update(piece: Buffer): unknown }): AsyncGenerator<Buffer> {
  for await (const piece of stream) {
    const bytes = Buffer.from(piece)
    hash.update(bytes)
    yield bytes
  }
}

function nameOf(file: string, given: string | undefined): string {
  if (given !== undefined || file !== '-') return given ?? basename(file)
  throw new Failure('What comes from standard input needs a name.', {
    exit: EXIT.usage,
    next: 'Add --name: cat notes.md | llmagentos data put - --name notes.md',
  })
}

const garbled = (name: string) =>
  new Failure(`${name} was stored with other bytes than were sent.`, {
    exit: EXIT.ours,
    next: `Remove it and store it again: llmagentos data rm ${name}`,
  })
