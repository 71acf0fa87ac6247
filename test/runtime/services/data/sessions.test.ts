import { expect, test } from 'vitest'
import { HOP } from '../../../../src/contracts/hop.ts'
import type { BodyOf } from '../../../../src/contracts/route.ts'
import {
  appendTurn,
  listSessions,
  removeSession,
  sessionWindow,
  showSession,
} from '../../../../src/contracts/sessions.ts'
import { hopOf, startData } from './service.ts'

const at = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString()

function turn(o: Partial<BodyOf<typeof appendTurn>> & { question: string }): BodyOf<typeof appendTurn> {
  const answer = o.answer ?? `about ${o.question}`
  return {
    saw: 0,
    at: at(0),
    answer,
    sources: [],
    engine: 'extractive',
    model: 'extractive',
    usage: { promptTokens: 1, completionTokens: 2 },
    window: [
      { role: 'user', content: o.question },
      { role: 'assistant', content: answer },
    ],
    ...o,
  }
}

async function opened(user = 'ann') {
  const service = await startData()
  const llm = service.as('llm')
  const gateway = service.as('gateway')
  const client = (who: string) => ({
    window: (id: string) => llm.call(sessionWindow, hopOf(who), { params: { id } }),
    append: (id: string, body: BodyOf<typeof appendTurn>, writer?: string) =>
      llm
        .call(appendTurn, hopOf(who), {
          params: { id },
          body,
          headers: writer ? { [HOP.writer]: writer } : {},
        })
        .then(r => r.turn),
    list: (query = {}) => gateway.call(listSessions, hopOf(who), { query }),
    show: (id: string, query = {}) => gateway.call(showSession, hopOf(who), { params: { id }, query }),
    rm: (id: string) => gateway.call(removeSession, hopOf(who), { params: { id } }),
  })
  return { ...client(user), client, service }
}

/** So many turns, one after the other, as a person asks. */
async function filled(
  append: (id: string, body: BodyOf<typeof appendTurn>) => Promise<number>,
  id: string,
  turns: number,
) {
  for (let n = 0; n < turns; n++) await append(id, turn({ question: `q${n + 1}`, saw: n, at: at(n) }))
}

test('a session that is not there has an empty window', async () => {
  const { window } = await opened()
  expect(await window('s1')).toEqual({ turn: 0, window: [] })
})

test('the window is what the newest turn left for the next question', async () => {
  const { window, append } = await opened()
  expect(await append('s1', turn({ question: 'one' }))).toBe(1)
  expect(await append('s1', turn({ question: 'two', saw: 1 }))).toBe(2)
  expect(await window('s1')).toEqual({ turn: 2, window: turn({ question: 'two' }).window })
})

test('20 parallel questions on one session are 20 turns, each with what its asker saw', async () => {
  const { append, show } = await opened()
  await filled(append, 's1', 3)
  const numbers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => append('s1', turn({ question: `parallel ${i}`, saw: 3 }))),
  )
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 4))
  const { turns } = await show('s1')
  expect(turns.map(t => t.turn)).toEqual(Array.from({ length: 23 }, (_, i) => i + 1))
  expect(new Set(turns.slice(3).map(t => t.question)).size).toBe(20)
  expect(new Set(turns.slice(3).map(t => t.saw))).toEqual(new Set([3]))
})

test('a turn that is sent again by the same writer is the same turn', async () => {
  const { append, show } = await opened()
  expect(await append('s1', turn({ question: 'one' }), 'w-one')).toBe(1)
  expect(await append('s1', turn({ question: 'other' }), 'w-two')).toBe(2)
  expect(await append('s1', turn({ question: 'other' }), 'w-two')).toBe(2)
  expect(await append('s1', turn({ question: 'one' }), 'w-one')).toBe(1)
  expect((await show('s1')).turns).toHaveLength(2)
})

test('an asker far behind is stored as the next turn all the same', async () => {
  const { append } = await opened()
  await Promise.all(Array.from({ length: 300 }, (_, i) => append('s1', turn({ question: `q${i}` }))))
  expect(await append('s1', turn({ question: 'late', saw: 1 }))).toBe(301)
})

test('a window over 16 KiB keeps its newest messages, and of one too long its beginning', async () => {
  const { append, window } = await opened()
  const long = { role: 'assistant' as const, content: '"\n😀'.repeat(2000) }
  const many = Array.from({ length: 100 }, (_, i) => ({ role: 'user' as const, content: `${i}`.repeat(500) }))
  await append('s1', turn({ question: 'q', window: [...many, { role: 'user', content: 'last' }] }))
  await append('s2', turn({ question: 'q', window: [long] }))
  const one = (await window('s1')).window
  const two = (await window('s2')).window
  expect(one.at(-1)?.content).toBe('last')
  expect(one.length).toBeGreaterThan(5)
  expect(long.content.startsWith(two[0]!.content)).toBe(true)
  expect(two[0]!.content.length).toBeGreaterThan(1000)
  for (const w of [one, two]) expect(Buffer.byteLength(JSON.stringify(w))).toBeLessThanOrEqual(16 * 1024)
})

test('the newest turns can be shown alone, oldest of them first', async () => {
  const { append, show } = await opened()
  await filled(append, 's1', 12)
  const { turns, next } = await show('s1', { newest: 3 })
  expect({ turns: turns.map(t => t.turn), next }).toEqual({ turns: [10, 11, 12], next: undefined })
  expect((await show('s1', { newest: 50 })).turns).toHaveLength(12)
})

test('turns are shown oldest first, page by page, without the window', async () => {
  const { append, show } = await opened()
  await filled(append, 's1', 25)
  const seen: number[] = []
  let next: number | undefined = 0
  while (next !== undefined) {
    const page: Awaited<ReturnType<typeof show>> = await show('s1', { after: next, limit: 7 })
    for (const t of page.turns) expect(Object.keys(t)).not.toContain('window')
    seen.push(...page.turns.map(t => t.turn))
    next = page.next
  }
  expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => i + 1))
  expect((await show('s1', { after: 25 })).turns).toEqual([])
})

test('sessions are listed newest first with their title, number of turns and pages that hold', async () => {
  const { append, list } = await opened()
  for (let s = 0; s < 9; s++) {
    await append(`s${s}`, turn({ question: `What  about\n${s}?`, at: at(s) }))
    await append(`s${s}`, turn({ question: 'and then?', saw: 1, at: at((s * 5) % 9) }))
  }
  const order = Array.from({ length: 9 }, (_, s) => s).sort((a, b) => ((b * 5) % 9) - ((a * 5) % 9))
  const seen = []
  for (let after: string | undefined; ; ) {
    const page = await list({ limit: 4, ...(after && { after }) })
    seen.push(...page.sessions)
    if (!page.next) break
    after = page.next
  }
  expect(seen).toEqual(
    order.map(s => ({ id: `s${s}`, turns: 2, last: at((s * 5) % 9), title: `What about ${s}?` })),
  )
  await expect(list({ after: 'nonsense' })).rejects.toMatchObject({ status: 400 })
})

test('a removed session is gone with all its turns, and begins anew', async () => {
  const { append, show, rm, list, window } = await opened()
  await filled(append, 's1', 12)
  await append('s10', turn({ question: 'another' }))
  expect(await rm('s1')).toEqual({ removed: 12 })
  await expect(show('s1')).rejects.toMatchObject({ status: 404 })
  await expect(rm('s1')).rejects.toMatchObject({ status: 404 })
  expect((await list()).sessions.map(s => s.id)).toEqual(['s10'])
  // A question that was under way while the session went.
  const late = turn({ question: 'late', saw: 12, window: [{ role: 'user', content: 'of the removed past' }] })
  expect(await append('s1', late)).toBe(1)
  expect((await window('s1')).window.map(m => m.content)).toEqual(['late', 'about late'])
})

test('nobody sees or touches the sessions of another user', async () => {
  const { append, client } = await opened('ann')
  await append('s1', turn({ question: 'mine' }))
  const bob = client('bob')
  expect(await bob.window('s1')).toEqual({ turn: 0, window: [] })
  await expect(bob.show('s1')).rejects.toMatchObject({ status: 404 })
  await expect(bob.rm('s1')).rejects.toMatchObject({ status: 404 })
  expect((await bob.list()).sessions).toEqual([])
})

test('only llm appends, and only for a user', async () => {
  const { service } = await opened()
  const o = { params: { id: 's1' }, body: turn({ question: 'x' }) }
  await expect(service.as('task').call(appendTurn, hopOf('ann'), o)).rejects.toMatchObject({ status: 403 })
  await expect(service.as('llm').call(appendTurn, hopOf(), o)).rejects.toMatchObject({ status: 401 })
})

test('reading the window costs the same at 1,000 turns as at 1', async () => {
  const { append, window } = await opened()
  await append('short', turn({ question: 'q1' }))
  await filled(append, 'long', 1000)
  const ratios: number[] = []
  for (let round = 0; round < 7; round++) {
    const times = { short: [] as number[], long: [] as number[] }
    for (let i = 0; i < 60; i++)
      for (const id of ['short', 'long'] as const) {
        const start = performance.now()
        await window(id)
        times[id].push(performance.now() - start)
      }
    ratios.push(median(times.long) / median(times.short))
  }
  expect(median(ratios)).toBeLessThan(1.2)
})

const median = (all: number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!
