import { writeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { openEmbedded } from '../../../../../src/runtime/services/data/store/embedded.ts'
import { content } from './content.ts'

// Writes records and blobs without end and says each that was acknowledged; its parent kills it.
const [folder, run] = process.argv.slice(2)
const store = await openEmbedded(folder!)
writeSync(1, 'open\n')

async function records(lane: number): Promise<never> {
  for (let i = 0; ; i++) {
    const name = `q/${run}.${lane}.${i}`
    await store.create(name, content(name, (i * 7919) % 60_000), 'w')
    writeSync(1, `record ${name}\n`)
    if (i % 3 === 2)
      await store
        .delete(`q/${run}.${lane}.${i - 1}`)
        .then(() => writeSync(1, `deleted q/${run}.${lane}.${i - 1}\n`))
  }
}

async function blobs(lane: number): Promise<never> {
  for (let i = 0; ; i++) {
    const bytes = content(`${run}.${lane}.${i}`, (i * 104_729) % 600_000)
    const pieces = [bytes.subarray(0, 1000), bytes.subarray(1000, 70_000), bytes.subarray(70_000)]
    const { blob } = await store.putBlob(Readable.from(pieces.filter(p => p.length > 0)))
    writeSync(1, `blob ${blob}\n`)
  }
}

await Promise.all([records(0), records(1), records(2), blobs(0), blobs(1)])
