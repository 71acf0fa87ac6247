// Adds up the counts that reporter.js wrote for each run of vitest: the closing line of CI.
import { readFileSync } from 'node:fs'

const runs = readFileSync(process.argv[2], 'utf8')
  .split('\n')
  .filter(Boolean)
  .map(line => JSON.parse(line))
const sum = key => runs.reduce((total, run) => total + run[key], 0)
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
