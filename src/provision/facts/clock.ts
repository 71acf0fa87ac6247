import type { Fact } from './fact.ts'

/**
 * How far the node's clock is ahead of this machine's, in milliseconds. The way of the answer counts into it, so that every node seems
 * to be behind by some milliseconds: compare nodes with each other.
 */
export const clock: Fact<number> = {
  id: 'clock',
  deadlineMs: 5_000,
  script: 'exec date +%s%N',
  parse(stdout, heardMs) {
    if (!/^\d{16,19}$/.test(stdout.trim())) throw new Error(`${JSON.stringify(stdout)} is no time`)
    if (heardMs === undefined) throw new Error('nobody noted when it came')
    return Number(BigInt(stdout.trim()) / 1000n) / 1000 - heardMs
  },
}
