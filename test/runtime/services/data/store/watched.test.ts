import { expect, test, vi } from 'vitest'
import { type ObjectStore, StoreAway } from '../../../../../src/runtime/services/data/store/store.ts'
import { WatchedStore } from '../../../../../src/runtime/services/data/store/watched.ts'
import { memoryStore } from '../../../../helpers/memory-store.ts'

/** A store that can be away or stall: a stand-in, in memory. */
function shaky() {
  const store = memoryStore()
  let act: () => Promise<void> = async () => {}
  const watched = new WatchedStore({
    ...store,
    async get(name) {
      await act()
      return store.get(name)
    },
  } satisfies ObjectStore)
  return {
    watched,
    does: (next: () => Promise<void>) => {
      act = next
    },
  }
}
const away = async () => {
  throw new StoreAway('The store could not read q/1 within 45 s: nobody answered.')
}

test('a store that is away is noted with its reason, and no more once it answers', async () => {
  const { watched, does } = shaky()
  expect(watched.notes()).toEqual([])
  does(away)
  await expect(watched.get('q/1')).rejects.toMatchObject({ status: 503 })
  expect(watched.notes()).toEqual([
    expect.stringMatching(/^The store has not answered since .*: The store could not/),
  ])
  does(async () => {})
  await watched.get('q/1')
  expect(watched.notes()).toEqual([])
  await watched.close()
})

test('a store that came back is noticed although nobody uses it', async () => {
  vi.useFakeTimers()
  const { watched, does } = shaky()
  does(away)
  await expect(watched.get('q/1')).rejects.toMatchObject({ status: 503 })
  await vi.advanceTimersByTimeAsync(20_000)
  expect(watched.notes()).toHaveLength(1)
  does(async () => {})
  await vi.advanceTimersByTimeAsync(6_000)
  expect(watched.notes()).toEqual([])
  await watched.close()
  vi.useRealTimers()
})

test('a call that waits for long is noted while it does', async () => {
  vi.useFakeTimers()
  const { watched, does } = shaky()
  let answer = () => {}
  does(() => new Promise(resolve => (answer = resolve)))
  const got = watched.get('q/1')
  await vi.advanceTimersByTimeAsync(9_000)
  expect(watched.notes()).toEqual([])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(watched.notes()).toEqual([expect.stringContaining('The store is slow')])
  answer()
  await got
  expect(watched.notes()).toEqual([])
  await watched.close()
  vi.useRealTimers()
})

test('what a store refuses for a reason of the caller is no absence', async () => {
  const { watched } = shaky()
  await expect(watched.create('', Buffer.from('x'), 'w')).rejects.toMatchObject({ status: 400 })
  expect(watched.notes()).toEqual([])
  await watched.close()
})
