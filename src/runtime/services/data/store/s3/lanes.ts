/** `act` on each of `items`, so many at a time; results in the order of the items. The first that throws ends it. */
export async function inLanes<I, R>(count: number, items: I[], act: (item: I) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const lane = async () => {
    while (next < items.length) {
      const i = next++
      results[i] = await act(items[i]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, lane))
  return results
}
