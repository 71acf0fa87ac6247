import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/ollama/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // One Ollama, one question at a time.
    fileParallelism: false,
    reporters: ['default', './scripts/reporter.js'],
  },
})
