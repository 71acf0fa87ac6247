// npm run lab -- up 4: real Debian machines to try things on. The lab is written in TypeScript for its stories, so it is built first.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { lacks } from './lab-needs.js'

const missing = lacks({ guest: process.argv[2] === 'vm' })
if (missing) {
  console.error(`The lab cannot run here: ${missing}.`)
  process.exit(3)
}

// Beside the checkout's packages, where node finds what the bundle leaves out, and git does not look.
const folder = join('node_modules', '.cache', 'llmagentos-lab')
mkdirSync(folder, { recursive: true })
const outfile = join(folder, `lab-${process.pid}.mjs`)
await build({
  entryPoints: ['test/lab/command.ts'],
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
