/**
 * What all of these say, as it comes. Ends when all have ended, or throws what the first one threw; whoever leaves early ends them all. A slow
 * reader slows them all down: nothing is kept but one value of each.
 */
export async function* together<T>(begin: (() => AsyncGenerator<T>)[]): AsyncGenerator<T> {
  const all = begin.map(one => one())
  const next = (from: AsyncGenerator<T>) => from.next().then(step => ({ from, step }))
  const coming = new Map(all.map(from => [from, next(from)]))
  try {
    while (coming.size > 0) {
      const { from, step } = await Promise.race(coming.values())
      // Behind the others, so that one that always has something to say leaves them their turn.
      coming.delete(from)
      if (step.done) continue
      coming.set(from, next(from))
      yield step.value
    }
  } finally {
    // One that waits for something ends when that comes; nobody waits for it here.
    for (const from of coming.keys()) void from.return(undefined).catch(() => undefined)
    for (const step of coming.values()) step.catch(() => undefined)
  }
}
