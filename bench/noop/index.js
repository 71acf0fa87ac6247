// npm run bench:noop: a second `cluster up` beside one bare SSH script per node that asks the same, and beside ansible. Real nodes: root on
// Debian. Exit code 1: a target was missed. It is written in TypeScript because the lab and the questions are, so it is built first.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { lacks } from '../../scripts/lab-needs.js'

const missing = lacks()
if (missing) {
  console.error(`The lab cannot run here: ${missing}.`)
  process.exit(3)
}
if (spawnSync('ansible-playbook', ['--version']).status !== 0) {
  console.log('Installing ansible-core, to compare with.')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const args = ['install', '-y', '--no-install-recommends', 'ansible-core']
  if (spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0)
    process.exit(1)
}

const folder = join('node_modules', '.cache', 'llmagentos-bench')
mkdirSync(folder, { recursive: true })
const outfile = join(folder, `noop-${process.pid}.mjs`)
await build({
  entryPoints: ['bench/noop/noop.ts'],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
})
const { main } = await import(pathToFileURL(outfile))
rmSync(outfile)
process.exitCode = await main(process.argv.slice(2))
