import { timed } from './client.js'
import { percentile } from './figures.js'

/**
 * One request at a time, the targets in turn in another order each time, so that whatever else the machine does meets all alike.
 * Milliseconds of each target, by round.
 */
export async function sequential(targets, { rounds, perRound, warmUp, isRight }) {
  for (let i = 0; i < warmUp; i++) for (const to of targets) await timed(to, isRight)
  const byRound = []
  for (let round = 0; round < rounds; round++) {
    const times = Object.fromEntries(targets.map(to => [to.name, []]))
    for (let i = 0; i < perRound; i++) {
      for (const to of shuffled(targets)) times[to.name].push(await timed(to, isRight))
    }
    byRound.push(times)
  }
  return byRound
}

/** What stands between the two, percentile minus percentile of the same window; the median of the rounds. */
export function addedBetween(byRound, { of, over, share }) {
  const each = byRound.map(times => percentile(times[of], share) - percentile(times[over], share))
  return percentile(each, 0.5)
}

function shuffled(list) {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[out[i], out[j]] = [out[j], out[i]]
  }
  return out
}
