import { expect, test } from 'vitest'
import { dayOf, inverted, newId, timeOf, ulids } from '../../../src/runtime/tasks/ids.ts'
import {
  historyName,
  queuedName,
  readHistory,
  readQueued,
  readRun,
  readWaiting,
  runName,
  waitingName,
} from '../../../src/runtime/tasks/names.ts'

test('ids grow, also within one millisecond and when the clock goes back', () => {
  const times = [5_000, 5_000, 5_000, 4_000, 4_000, 5_001]
  const next = ulids(() => times.shift()!)
  const ids = Array.from({ length: 6 }, next)
  expect(ids).toEqual(ids.toSorted())
  expect(new Set(ids).size).toBe(6)
  for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/)
})

test('an id says when it was made', () => {
  const at = Date.UTC(2026, 1, 3, 4, 5, 6, 789)
  const id = ulids(() => at)()
  expect(timeOf(id)).toBe(at)
  expect(dayOf(id)).toBe('20260203')
})

test('inverted ids are listed newest first, and turn back', () => {
  const ids = Array.from({ length: 50 }, newId)
  expect(ids.map(inverted).toSorted()).toEqual(ids.toReversed().map(inverted))
  expect(ids.map(id => inverted(inverted(id)))).toEqual(ids)
})

test('names are read back as they were made, and nothing else is read', () => {
  const place = { user: 'ada.l-1', priority: 'high' as const, id: newId(), attempt: 12 }
  expect(readQueued(queuedName(place))).toEqual(place)
  const at = Date.UTC(2026, 0, 2, 3, 4, 59)
  expect(readWaiting(waitingName(place, at))).toEqual({ ...place, minute: '202601020304' })
  expect(readRun(runName(place))).toEqual({ id: place.id, attempt: 12 })
  expect(readHistory(historyName('ada', place.id, 'dead'))).toEqual({
    user: 'ada',
    id: place.id,
    outcome: 'dead',
  })
  for (const odd of ['q/ada/3/x.1', 'q/ada/1', `q/ada/1/${place.id}`, `run/${place.id}.x`, 'q/', '']) {
    expect(readQueued(odd)).toBeUndefined()
    expect(readRun(odd)).toBeUndefined()
  }
})
