import { appendFileSync } from 'node:fs'

/**
 * A vitest reporter that says at the end what was skipped and why, and fails a run whose skips give no reason.
 * The counts go as one JSON line to the file named by LLMAGENTOS_RESULTS, for whoever adds several runs up.
 */
export default class Reporter {
  onTestRunEnd(modules) {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const skips = []
    for (const module of modules) {
      // A file that could not be loaded has no tests to count.
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) counts.failed++
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        counts[state === 'passed' || state === 'failed' ? state : 'skipped']++
        if (state === 'skipped') skips.push({ title: test.fullName, reason: note ?? inTitle(test.name) })
      }
    }
    report(skips)
    if (process.env.LLMAGENTOS_RESULTS)
      appendFileSync(process.env.LLMAGENTOS_RESULTS, `${JSON.stringify(counts)}\n`)
  }
}

// For test.skipIf, which knows no reason: `does this or that (skipped: strace is missing)`.
const inTitle = title => /\(skipped(?::| as) (.+)\)$/.exec(title)?.[1]

function report(skips) {
  if (skips.length === 0) return console.log('\nSkipped: nothing.')
  console.log('\nSkipped:')
  for (const reason of new Set(skips.map(s => s.reason))) {
    const titles = skips.filter(s => s.reason === reason).map(s => s.title)
    console.log(`  because ${reason ?? 'NO REASON WAS GIVEN (ctx.skip(reason) gives one)'}: ${titles.length}`)
    for (const title of titles) console.log(`    ${title}`)
  }
  if (skips.some(s => !s.reason)) process.exitCode = 1
}
