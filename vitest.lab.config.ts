import { defineConfig } from 'vitest/config'
import { LONG } from './test/lab/long.ts'

export default defineConfig({
  test: {
    include: ['test/lab/**/*.test.ts'],
    exclude: LONG,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    // One file after the other: the machines of one want both of this machine's cores.
    fileParallelism: false,
    reporters: ['default', './scripts/reporter.js'],
  },
})
