import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Connection } from '../../../src/provision/connections/connection.ts'
import { readJournal } from '../../../src/provision/reconcile/journal.ts'
import { JOURNAL_BYTES, KEEP_JOURNAL } from '../../../src/provision/reconcile/programs/journal.ts'
import { nodeHere, silentNode } from './here.ts'

const line = (at: number, more: object = {}) =>
  `${JSON.stringify({ at: new Date(at).toISOString(), node: 'n1', outcome: 'done', ...more })}\n`
const journalOf = (state: string) => {
  mkdirSync(state, { recursive: true })
  return { now: `${state}/journal.ndjson`, older: `${state}/journal.ndjson.1` }
}
const shell = async (on: Connection, script: string) => {
  const ended = await on.exec(['sh', '-c', `${KEEP_JOURNAL}\n${script}`], { deadlineMs: 60_000 })
  expect(ended).toMatchObject({ code: 0, stderr: '' })
}

test('journals are merged by time; half lines are left out and silent nodes named', async () => {
  const nodes = ['n1', 'n2', 'n3'].map(nodeHere)
  const second = (n: number) => Date.UTC(2026, 0, 1, 0, 0, n)
  const write = (i: number, text: string) => writeFileSync(journalOf(nodes[i]!.state).now, text)
  write(0, line(second(1)) + line(second(3)))
  write(1, `{"at":"2026-01-01T00:0\n${line(second(2), { node: 'n2' })}{"at":"20`)
  const connections = [...nodes.map(node => node.connection), silentNode('n4', new Error('it is off'))]
  const all = await readJournal(connections, { limit: 10 })
  expect(all.lines.map(l => l.at.slice(17, 19))).toEqual(['01', '02', '03'])
  expect(all.silent).toEqual([{ node: 'n4', why: 'it is off' }])
  expect((await readJournal(connections, { limit: 1 })).lines.map(l => l.node)).toEqual(['n1'])
  const since = new Date(second(2))
  expect((await readJournal(connections, { limit: 10, since })).lines).toHaveLength(2)
})

test('a full journal makes room by one rename, and both files are read as one', async () => {
  const { connection, state } = nodeHere('n1')
  const { now, older } = journalOf(state)
  const full = line(1, { says: 'x'.repeat(JOURNAL_BYTES) })
  writeFileSync(older, line(0, { run: 'forgotten' }))
  writeFileSync(now, full.slice(0, JOURNAL_BYTES - 1))
  await shell(connection, 'rotate')
  expect(readFileSync(older, 'utf8')).toContain('forgotten')
  writeFileSync(now, line(1, { run: 'r1', says: 'x'.repeat(JOURNAL_BYTES) }) + line(2, { run: 'r2' }))
  await shell(connection, `rotate; about='"run":"r3","outcome":"begun"'; journal '"node":"n1"'`)
  const runs = async (limit: number) =>
    (await readJournal([connection], { limit })).lines.map(({ run }) => run)
  expect(await runs(100)).toEqual(['r1', 'r2', 'r3'])
  expect(await runs(2)).toEqual(['r2', 'r3'])
  expect(statSync(now).size).toBeLessThan(1_000)
  // What a power failure left of a last line belongs to no other.
  writeFileSync(older, `${line(1, { run: 'r1' })}{"at":"20`)
  expect(await runs(100)).toEqual(['r1', 'r3'])
})

test('no line is lost or doubled while the journal is turned over and read', async () => {
  const { connection, state } = nodeHere('n1')
  const { now } = journalOf(state)
  const first = line(0, { run: 'full', says: 'x'.repeat(JOURNAL_BYTES) })
  writeFileSync(now, first)
  // Steps turn it over one at a time, under the lock of the fence; ends of steps are written meanwhile.
  const writer = (i: number) =>
    shell(
      connection,
      `n=0; while [ $n -lt 20 ]; do n=$((n + 1)); ${i === 0 ? 'rotate;' : ''} about='"run":"w${i}"'; journal "\\"id\\":\\"$n\\",\\"outcome\\":\\"done\\""; done`,
    )
  const read: string[][] = []
  let over = false
  const writing = Promise.all(Array.from({ length: 8 }, (_, i) => writer(i))).finally(() => {
    over = true
  })
  while (!over) {
    const { lines } = await readJournal([connection], { limit: 1_000 })
    read.push(lines.map(({ run, id }) => `${run} ${id}`))
  }
  await writing
  for (const keys of read) {
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys).toContain('full undefined')
  }
  const { lines } = await readJournal([connection], { limit: 1_000 })
  expect(lines).toHaveLength(1 + 8 * 20)
})
