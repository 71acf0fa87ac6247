import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs a program with its output on ours; false when it did not exit 0. */
export function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  if (error) console.error(`${command} could not be started: ${error.message}`)
  return status === 0
}

/** Runs vitest with our reporter; CI=true because a test run writes no snapshots. `node` is the Node that runs it. */
export function vitest(args, { node = process.execPath, env = {} } = {}) {
  const reporters = ['--reporter=default', '--reporter=./scripts/reporter.js']
  return run(node, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args], { CI: 'true', ...env })
}

/** A folder of this run alone, gone when the process ends, however it ends. */
export function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'lao-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130))
  return folder
}

export const scriptsOfPackage = () => Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).scripts)
