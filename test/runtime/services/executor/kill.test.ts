import { expect, test } from 'vitest'
import { faultsOf, killWhileWorking } from '../../../helpers/kill-tasks.ts'

const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)

test(`60 tasks reach exactly one final end each, over 3 kills at random (KILL_SEED=${seed})`, async () => {
  const report = await killWhileWorking({ tasks: 60, kills: 3, seed })
  expect(faultsOf(report, 60)).toEqual([])
}, 120_000)
