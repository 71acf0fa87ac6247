// Bundles src/ into dist/: one entry for the CLI, one for each program we start beside it. `npm ci` runs this as `prepare`.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { build } from 'esbuild'

const ENTRIES = {
  main: 'src/main.ts',
  'task-child': 'src/runtime/services/executor/child.ts',
  'parse-worker': 'src/runtime/kinds/ingest/worker.ts',
}

// Native modules ship their binaries in packages of their own; a bundle cannot hold them. Those of ssh2 are optional: npm builds them where
// there is a compiler, and ssh2 does without.
const EXTERNAL = ['@lancedb/lancedb', 'apache-arrow', 'lmdb', 'react-devtools-core', 'cpu-features', '*.node']

// CommonJS packages inside an ES module bundle still look for these three names.
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module'",
  "import { fileURLToPath as __toPath } from 'node:url'",
  "import { dirname as __dirnameOf } from 'node:path'",
  'const require = __createRequire(import.meta.url)',
  'const __filename = __toPath(import.meta.url)',
  'const __dirname = __dirnameOf(__filename)',
].join(';')

const undiciPool = {
  name: 'undici-pool',
  // Downloads of provision, loaded only when something is downloaded, want all of it: proxies too.
  setup: b =>
    b.onResolve({ filter: /^undici$/ }, ({ importer }) =>
      importer.startsWith(resolve('src/provision')) ? undefined : { path: resolve('scripts/undici-pool.js') },
    ),
}

const result = await build({
  plugins: [undiciPool],
  entryPoints: ENTRIES,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  jsx: 'automatic',
  external: EXTERNAL,
  banner: { js: BANNER },
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
  sourcemap: 'linked',
  metafile: true,
  write: false,
  logLevel: 'warning',
})

// Beside the last build, and put in its place at once: one that fails leaves it as it was, and nobody sees half of a new one.
const fresh = resolve(`dist.${process.pid}.tmp`)
mkdirSync(fresh)
for (const file of result.outputFiles) writeFileSync(join(fresh, basename(file.path)), file.contents)
writeFileSync(join(fresh, 'meta.json'), JSON.stringify(result.metafile))
// What bin prints for these two without loading the program, written by the program itself.
for (const word of ['version', 'help']) writeFileSync(join(fresh, `${word}.txt`), await outputOf(`--${word}`))
const old = resolve(`dist.${process.pid}.old.tmp`)
if (existsSync('dist')) renameSync('dist', old)
renameSync(fresh, 'dist')
rmSync(old, { recursive: true, force: true })

async function outputOf(flag) {
  const { main } = await import(join(fresh, 'main.js'))
  let text = ''
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  const { stdin, stderr } = process
  await new Promise(exit =>
    main({
      argv: ['node', 'llmagentos', flag],
      env: {},
      stdin,
      stdout,
      stderr,
      cwd: () => '/',
      exit,
      on() {},
    }),
  )
  return text
}
