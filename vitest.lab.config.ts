import { defineConfig } from 'vitest/config'
import { LONG } from './test/lab/long.ts'

export default defineConfig({
  test: {
    include: ['test/lab/**/*.test.ts'],
    exclude: LONG,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    // Each has machines of its own, and waits for them most of the time; more than two want more than two cores have.
    maxWorkers: 2,
    reporters: ['default', './scripts/reporter.js'],
  },
})
