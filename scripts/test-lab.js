// npm run test:lab: stories on machines of their own. They need root on Debian and say so where they have not; then each story counts as
// skipped. Exits 0 only when all of it passed and nothing was left behind.
import { lacks } from './lab-needs.js'
import { attend, begin, clear } from './lab-run.js'
import { run } from './run.js'

const began = performance.now()
const missing = lacks()
if (missing) console.log(`The lab cannot run here: ${missing}.`)

// Stories start the built program.
if (!run(process.execPath, ['scripts/build.js'])) process.exit(1)
const { folder, env } = begin()
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.lab.config.ts']
const passed = await attend([process.execPath, ...vitest, ...process.argv.slice(2)], {
  ...env,
  ...(missing ? { LLMAGENTOS_LAB_LACKS: missing } : {}),
})

const left = await clear(folder)
for (const what of left) console.log(`Left behind, and removed: ${what}`)
// 0: there was nothing to remove.
const clean = missing !== undefined || run(process.execPath, ['scripts/lab.js', 'sweep'], env)
const ok = passed && clean && left.length === 0
console.log(
  `npm run test:lab ${ok ? 'passed' : 'FAILED'} in ${Math.round((performance.now() - began) / 1000)} s.`,
)
process.exitCode = ok ? 0 : 1
