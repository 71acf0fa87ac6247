import { defineConfig } from 'vitest/config'
import { LONG } from './test/lab/long.ts'

export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts', ...LONG],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // One after the other: each wants the machine for itself.
    fileParallelism: false,
    reporters: ['default', './scripts/reporter.js'],
  },
})
