import type { Finding } from '../components/component.ts'
import { clock as fact } from '../facts/clock.ts'
import { type Concern, onEach, told } from './concern.ts'
import { span } from './units.ts'

// What the ways of the answers, and a busy machine here, may differ by.
const FINE_MS = 500
const BAD_MS = 5_000

/**
 * Each clock against the median of all. Of two nodes nobody can say which one is wrong, and one has nobody to compare with: this
 * machine's clock is then a voice too.
 */
export const clock: Concern = {
  name: 'clock',
  facts: () => [fact],
  judge({ nodes }, facts) {
    const ahead = told(nodes, facts, fact).map(({ value }) => value)
    const others = ahead.length >= 3 ? 'the other nodes' : 'the other clocks'
    const middle = median(ahead.length >= 3 ? ahead : [...ahead, 0])
    const found = onEach({ nodes, facts, what: 'its time' }, fact, value => [
      off(ahead.length === 1 ? value : value - middle, ahead.length === 1 ? 'this machine' : others),
    ])
    return [...found, ...here(ahead)]
  },
}

function off(ms: number, than: string): Finding {
  const by = Math.abs(ms)
  if (by <= FINE_MS) return { level: 'ok', says: `Its clock is right within ${span(FINE_MS)}.` }
  return {
    level: by > BAD_MS ? 'bad' : 'warn',
    says: `Its clock is ${span(by)} ${ms > 0 ? 'ahead of' : 'behind'} ${than}.`,
    fix: 'Look at its time service: timedatectl, chronyc tracking.',
  }
}

/** Certificates and tokens are made and judged here as well. */
function here(ahead: number[]): Finding[] {
  if (ahead.length < 3) return []
  const by = median(ahead)
  if (Math.abs(by) <= BAD_MS) return []
  return [
    {
      level: 'warn',
      says: `The clock of this machine is ${span(Math.abs(by))} ${by > 0 ? 'behind' : 'ahead of'} the nodes.`,
      fix: 'Set the time here.',
    },
  ]
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2
}
