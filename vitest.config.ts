import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    exclude: ['test/lab/**', 'test/long/**', 'test/ollama/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Two cores: more workers only take memory and time from each other.
    maxWorkers: 2,
  },
})
