import { expect, test } from 'vitest'
import { type Import, isNode, isOurs, type Source, sources } from './sources.ts'

const files = sources('src')

/** A package that is heavy, native or a choice we may undo: one importer, so that its replacement touches one place. */
const IMPORTERS: Record<string, string[]> = {
  lmdb: ['src/runtime/services/data/store'],
  '@aws-sdk/client-s3': ['src/runtime/services/data/store/s3'],
  '@smithy/node-http-handler': ['src/runtime/services/data/store/s3'],
  '@lancedb/lancedb': ['src/runtime/services/data/index'],
  'apache-arrow': ['src/runtime/services/data/index'],
  undici: ['src/runtime/peer.ts', 'src/provision/artifacts/http.ts'],
  jose: ['src/runtime/identity', 'src/runtime/services/auth'],
  ollama: ['src/runtime/services/worker/backends'],
  pino: ['src/runtime/logging.ts'],
  'prom-client': ['src/runtime/metrics.ts'],
  fastify: ['src/runtime/server'],
  '@fastify/swagger': ['src/runtime/services/gateway'],
  commander: ['src/commands/program.ts', 'src/commands/completion'],
  ssh2: ['src/provision/connections/ssh.ts'],
  execa: ['src/provision/connections/local.ts', 'src/provision/connections/system-ssh.ts'],
  'age-encryption': ['src/provision/secrets/recovery-file.ts'],
  'rabbitmq-client': ['src/runtime/bus/amqp'],
  unpdf: ['src/runtime/kinds/ingest'],
  'html-to-text': ['src/runtime/kinds/ingest'],
  ink: ['src/commands/views'],
  react: ['src/commands/views'],
  'cli-table3': ['src/commands/views'],
  '@inquirer/prompts': ['src/commands/views'],
  typebox: ['src/contracts', 'src/runtime', 'src/provision'],
  ajv: ['src/runtime'],
  yaml: ['src/provision/cluster'],
  diff: ['src/provision/reconcile/diff.ts'],
}

/** Only these may be named for their types elsewhere: the kit hands out fastify's app and requests. */
const TYPES_ANYWHERE: Record<string, string> = { fastify: 'src/runtime' }

test('leaves import node: and other leaves only', () => {
  const isLeaf = (file: string) => /^src\/[^/]+\.ts$/.test(file) && file !== 'src/main.ts'
  expect(
    breaches({
      rule: 'a leaf (src/*.ts) imports node: and leaves only',
      reason: 'everything imports the leaves, so whatever they import is loaded everywhere',
      from: isLeaf,
      broken: i => !isNode(i.to) && !isLeaf(i.to),
    }),
  ).toEqual([])
})

test('contracts import typebox, contracts and leaves only', () => {
  expect(
    breaches({
      rule: 'contracts import typebox, contracts and leaves only',
      reason: 'both sides of an agreement load it, so it must bring neither side with it',
      from: file => within(file, 'src/contracts'),
      broken: i => i.to !== 'typebox' && !within(i.to, 'src/contracts') && !/^src\/[^/]+\.ts$/.test(i.to),
    }),
  ).toEqual([])
})

test('provision and runtime never import each other', () => {
  const pairs = [
    ['src/provision', 'src/runtime'],
    ['src/runtime', 'src/provision'],
  ] as const
  const found = pairs.flatMap(([one, other]) =>
    breaches({
      rule: `${one} never imports ${other}`,
      reason: 'the builders reach the running system through contracts/ and the CLI alone',
      from: file => within(file, one),
      broken: i => within(i.to, other),
    }),
  )
  expect(found).toEqual([])
})

test('commands reach runtime and provision by await import() alone', () => {
  expect(
    breaches({
      rule: 'a command imports runtime and provision by await import() inside run (types are free)',
      reason: '--help and --version load every command, and must load nothing heavy',
      from: file => within(file, 'src/commands'),
      broken: i => i.kind === 'value' && (within(i.to, 'src/runtime') || within(i.to, 'src/provision')),
    }),
  ).toEqual([])
})

test('views are loaded by await import() alone', () => {
  expect(
    breaches({
      rule: 'views are imported by await import() (types are free)',
      reason: 'they bring ink, react and tables, which --help must not load',
      from: file => within(file, 'src/commands') && !within(file, 'src/commands/views'),
      broken: i => i.kind === 'value' && within(i.to, 'src/commands/views') && reachesHeavy(i.to),
    }),
  ).toEqual([])
})

test('nothing but main imports the commands', () => {
  expect(
    breaches({
      rule: 'only main.ts and commands import commands',
      reason: 'the front desk calls the house, the house never calls the front desk',
      from: file => file !== 'src/main.ts' && !within(file, 'src/commands'),
      broken: i => within(i.to, 'src/commands'),
    }),
  ).toEqual([])
})

test('a heavy package has one importer', () => {
  const found = Object.entries(IMPORTERS).flatMap(([name, places]) =>
    breaches({
      rule: `${name} is imported by ${places.join(' and ')} only`,
      reason: 'one importer per heavy package, so that it loads late and can be replaced in one place',
      from: file => !places.some(place => within(file, place)),
      broken: (i, file) =>
        i.to === name && !(i.kind === 'type' && TYPES_ANYWHERE[name] && within(file, TYPES_ANYWHERE[name])),
    }),
  )
  expect(found).toEqual([])
})

test('each package that src imports has its place in the table of importers', () => {
  const named = new Set(files.flatMap(s => s.imports.map(i => i.to)).filter(to => !isNode(to) && !isOurs(to)))
  const missing = [...named].filter(name => !IMPORTERS[name])
  expect(missing, 'add the package and its one importer to IMPORTERS in this file').toEqual([])
})

test('a service is opened by services/index.ts alone', () => {
  const service = (path: string) => /^src\/runtime\/services\/([^/]+)\//.exec(path)?.[1]
  expect(
    breaches({
      rule: 'a folder under runtime/services is imported by services/index.ts and by itself only',
      reason: 'services talk over transport.ts, here as across machines; only data knows the store',
      from: file => file !== 'src/runtime/services/index.ts',
      broken: (i, file) => service(i.to) !== undefined && service(i.to) !== service(file),
    }),
  ).toEqual([])
})

interface Rule {
  rule: string
  reason: string
  from(file: string): boolean
  broken(i: Import, file: string): boolean
}

function breaches(o: Rule): string[] {
  return files
    .filter(s => o.from(s.file))
    .flatMap(s =>
      s.imports
        .filter(i => o.broken(i, s.file))
        .map(i => `${s.file} imports ${i.text}: ${o.rule}, because ${o.reason}`),
    )
}

function within(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}

const HEAVY_VIEWS = ['ink', 'react', 'cli-table3', '@inquirer/prompts']

/** Follows static value imports; a view that only formats text may be imported like any file. */
function reachesHeavy(file: string, seen = new Set<string>()): boolean {
  if (HEAVY_VIEWS.includes(file)) return true
  if (seen.has(file)) return false
  seen.add(file)
  const source: Source | undefined = files.find(s => s.file === file)
  return source?.imports.some(i => i.kind === 'value' && reachesHeavy(i.to, seen)) ?? false
}
