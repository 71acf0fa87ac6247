// Benchmarks on real nodes: root on Debian. They are written in TypeScript because the lab and the questions are, so each is built first.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { lacks } from '../scripts/lab-needs.js'

/** Runs `main` of a program and exits with what it returns; 3 where there can be no lab. `before` gets what it needs beside the lab. */
export async function runOnTheLab(program, before = () => undefined) {
  const missing = lacks()
  if (missing) {
    console.error(`The lab cannot run here: ${missing}.`)
    process.exit(3)
  }
  before()
  const folder = join('node_modules', '.cache', 'llmagentos-bench')
  mkdirSync(folder, { recursive: true })
  const outfile = join(folder, `${process.pid}.mjs`)
  await build({
    entryPoints: [program],
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
}
