// npm test: everything that needs no root, no network and no minutes. Exits 0 only when all of it passed and nothing was left behind.
import { watch } from './left-behind.js'
import { run, scriptsOfPackage, temporary, vitest } from './run.js'

const ELSE = {
  'test:lab': 'on real machines: root on Debian',
  'test:node24': 'the same tests on Node 24, fetched as a package',
  'test:long': 'crashes, load and leaks: minutes',
  'test:ollama': 'against the Ollama at OLLAMA_HOST',
  'bench:gateway': 'the gateway beside another one',
}

const started = performance.now()
const watched = watch(temporary())
const failed = []

const steps = {
  'the build': () => run(process.execPath, ['scripts/build.js']),
  'the types (tsc)': () => run('node_modules/.bin/tsc', []),
  'the style (biome)': () => run('node_modules/.bin/biome', ['ci', '--colors=off', '.']),
  'the tests (vitest)': () => vitest(process.argv.slice(2), { env: watched.env }),
}
for (const [name, step] of Object.entries(steps)) {
  console.log(`\n== ${name}`)
  if (step()) continue
  failed.push(name)
  // Without a build there is nothing true to test.
  if (name === 'the build') break
}

const left = await watched.left()
if (left.length > 0) failed.push('nothing left behind')
for (const what of left) console.log(`Left behind: ${what}`)
if (watched.note) console.log(watched.note)

console.log('\nNot part of npm test:')
for (const [script, says] of Object.entries(ELSE))
  if (scriptsOfPackage().includes(script)) console.log(`  npm run ${script.padEnd(13)} ${says}`)

const seconds = Math.round((performance.now() - started) / 1000)
console.log(
  failed.length === 0
    ? `\nnpm test passed in ${seconds} s.`
    : `\nnpm test FAILED in ${seconds} s: ${failed.join(', ')}.`,
)
process.exitCode = failed.length === 0 ? 0 : 1
