import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const SUMS = 'sha256sum.txt'
const ARCH = process.arch === 'arm64' ? 'arm64' : 'amd64'
const START = `#!/bin/sh
# A stand-in for Ollama: it holds no model, and says what its script says.
lib=$(dirname "$(readlink -f "$0")")/../lib/ollama
exec "$lib/node" "$lib/stand-in.js" "$@" "$(cat "$lib/version")"
`

/** A folder with releases of Ollama's layout, in which a stand-in is what answers. `home`: of an operator who has our programs at hand. */
export async function ollamaMirror(home: string) {
  const folder = mkdtempSync(join(home, 'mirror-'))
  const parts = mkdtempSync(join(home, 'stand-in-'))
  const programs = join(home, 'cache', 'llmagentos')
  const node = readdirSync(programs).find(file => file.startsWith('node-') && file.endsWith('.tar.gz'))!
  execFileSync('tar', ['-xzf', join(programs, node), '-C', parts, 'bin/node'])
  await build({
    entryPoints: [resolve('test/helpers/ollama-stand-in/program.ts')],
    outfile: join(parts, 'stand-in.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  writeFileSync(join(parts, 'package.json'), '{"type": "module"}\n')
  const file = (version: string) => join(folder, 'ollama', `v${version}`, `ollama-linux-${ARCH}.tar.zst`)
  return {
    url: pathToFileURL(folder).href,
    /** Packs a release, or packs it anew with a `note` in it. */
    release(version: string, note = '') {
      const from = mkdtempSync(join(home, 'release-'))
      const lib = join(from, 'lib/ollama')
      mkdirSync(lib, { recursive: true })
      mkdirSync(join(from, 'bin'))
      writeFileSync(join(from, 'bin/ollama'), START, { mode: 0o755 })
      cpSync(join(parts, 'bin/node'), join(lib, 'node'))
      for (const one of ['stand-in.js', 'package.json']) cpSync(join(parts, one), join(lib, one))
      writeFileSync(join(lib, 'version'), `${version}\n`)
      writeFileSync(join(lib, 'llama-server'), `a stand-in${note}\n`, { mode: 0o755 })
      symlinkSync('version', join(lib, 'a-link'))
      const archive = file(version)
      mkdirSync(join(archive, '..'), { recursive: true })
      execFileSync('tar', ['--zstd', '-cf', archive, '-C', from, '.'])
      const hex = createHash('sha256').update(readFileSync(archive)).digest('hex')
      writeFileSync(join(archive, '..', SUMS), `${hex}  ./ollama-linux-${ARCH}.tar.zst\n`)
      rmSync(from, { recursive: true })
    },
  }
}
