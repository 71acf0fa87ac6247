// npm run bench:noop: a second `cluster up` beside one bare SSH script per node that asks the same, and beside ansible. Exit code 1: a
// target was missed.
import { spawnSync } from 'node:child_process'
import { runOnTheLab } from '../on-the-lab.js'

await runOnTheLab('bench/noop/noop.ts', () => {
  if (spawnSync('ansible-playbook', ['--version']).status === 0) return
  console.log('Installing ansible-core, to compare with.')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const args = ['install', '-y', '--no-install-recommends', 'ansible-core']
  if (spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0)
    process.exit(1)
})
