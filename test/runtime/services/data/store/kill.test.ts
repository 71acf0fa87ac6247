import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openEmbedded } from '../../../../../src/runtime/services/data/store/embedded.ts'
import type { ObjectStore } from '../../../../../src/runtime/services/data/store/store.ts'
import { tempFolder } from '../../../../helpers/temp.ts'
import { program } from '../program.ts'
import { isWhole } from '../programs/content.ts'

const ROUNDS = 8
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

test(`kill -9 at ${ROUNDS} random moments loses nothing acknowledged and leaves nothing half-written (SEED=${seed})`, async () => {
  const folder = tempFolder()
  const writer = await program('writer')
  const random = generator(seed)
  const records = new Set<string>()
  const deleted = new Set<string>()
  const blobs = new Set<string>()
  const checked = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const said = await killedAfter([writer, folder, `r${round}`], 30 + random() * 400)
    for (const line of said) {
      const [what, name] = line.split(' ')
      if (what === 'record') records.add(name!)
      if (what === 'deleted') deleted.add(name!)
      if (what === 'blob') blobs.add(name!)
    }
    const store = await openEmbedded(folder)
    try {
      await everythingIsWhole(store, { records, deleted, blobs, checked })
    } finally {
      await store.close()
    }
    expect(readdirSync(join(folder, 'blobs')).filter(f => f.startsWith('.'))).toEqual([])
  }
  expect(records.size).toBeGreaterThan(ROUNDS)
  expect(blobs.size).toBeGreaterThan(0)
})

async function everythingIsWhole(
  store: ObjectStore,
  acknowledged: { records: Set<string>; deleted: Set<string>; blobs: Set<string>; checked: Set<string> },
): Promise<void> {
  const found = await store.list('q/', { limit: 1_000_000, values: true })
  expect(found.filter(r => !isWhole(r.value!, r.name)).map(r => r.name)).toEqual([])
  const names = new Set(found.map(r => r.name))
  // One that was being deleted when the end came may be gone already.
  const lost = [...acknowledged.records].filter(n => !names.has(n) && !acknowledged.deleted.has(n))
  expect(lost.filter(n => !wasBeingDeleted(n, acknowledged.records))).toEqual([])
  expect([...acknowledged.deleted].filter(n => names.has(n))).toEqual([])
  const listed = new Set((await store.listBlobs({ limit: 1_000_000 })).map(b => b.blob))
  expect([...acknowledged.blobs].filter(b => !listed.has(b))).toEqual([])
  for (const blob of listed) {
    if (acknowledged.checked.has(blob)) continue
    acknowledged.checked.add(blob)
    expect(isWhole(await buffer((await store.getBlob(blob))!.body)), blob).toBe(true)
  }
}

/** The writer deletes a record after it has created the one behind it. */
function wasBeingDeleted(name: string, created: Set<string>): boolean {
  const [run, lane, i] = name.split('.')
  return Number(i) % 3 === 1 && created.has(`${run}.${lane}.${Number(i) + 1}`)
}

/** The lines that it said until it was killed, so many milliseconds after it had opened the store. */
async function killedAfter(words: string[], ms: number): Promise<string[]> {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  const input = createInterface(child.stdout)
  input.on('line', line => lines.push(line))
  const ended = once(child, 'close')
  await once(input, 'line')
  await sleep(ms)
  child.kill('SIGKILL')
  await ended
  return lines
}

/** mulberry32: the same seed gives the same moments. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
