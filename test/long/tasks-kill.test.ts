import { expect, test } from 'vitest'
import { faultsOf, killWhileWorking } from '../helpers/kill-tasks.ts'

const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)

test(`1,000 tasks reach exactly one final end each, over 20 kills at random (KILL_SEED=${seed})`, async () => {
  const report = await killWhileWorking({ tasks: 1000, kills: 20, seed })
  process.stdout.write(
    `seed ${seed}: ${JSON.stringify({ kills: report.kills, states: report.states, interrupted: report.interrupted })}\n`,
  )
  expect(faultsOf(report, 1000)).toEqual([])
}, 600_000)
