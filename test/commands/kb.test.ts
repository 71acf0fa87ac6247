import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../helpers/cli.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { pdfFile } from '../runtime/kinds/ingest/pdf-file.ts'

let cluster: Cluster
let docs: string

beforeAll(async () => {
  cluster = await startCluster()
  docs = join(cluster.folder, 'garden')
  mkdirSync(join(docs, 'more/.hidden'), { recursive: true })
  writeFileSync(join(docs, 'lavender.md'), '# Lavender\n\n## Watering\n\nWater lavender once a week.\n')
  writeFileSync(join(docs, 'page.html'), '<title>Soil</title><h1>Soil</h1><p>Thyme wants chalk.</p>')
  writeFileSync(join(docs, 'paper.pdf'), pdfFile([['Nothing here.'], ['Rosemary survives frost.']]))
  writeFileSync(join(docs, 'more/latin.txt'), Buffer.from([0x6c, 0xe9]))
  writeFileSync(join(docs, 'more/tool.exe'), 'x')
  writeFileSync(join(docs, 'more/.hidden/a.md'), 'hidden')
})
afterAll(() => cluster?.stop())

const run = (...args: string[]) => runCli(args, { env: cluster.env, folder: cluster.folder })

test('a folder is added whole: what cannot be read is named, and the exit code says so', async () => {
  const added = await run('kb', 'add', 'garden', '--kb', 'herbs')
  expect(added.code).toBe(5)
  expect(added.stdout).toBe('herbs: 3 added, 1 failed, 1 skipped (4 passages).\n')
  expect(added.stderr).toContain(`skipped  ${docs}/more/tool.exe`)
  expect(added.stderr).toContain('failed   garden/more/latin.txt cannot be read: it is not UTF-8 text.')
})

test.each([
  ['how often do I water lavender?', 'herbs/garden/lavender.md:5  Watering'],
  ['thyme', 'herbs/garden/page.html  Soil'],
  ['frost', 'herbs/garden/paper.pdf, page 2  paper'],
])('a search for "%s" finds the passage and says where it stands', async (query, source) => {
  const found = await run('kb', 'search', query)
  expect(found).toMatchObject({ code: 0 })
  expect(found.stdout.split('\n')[0]).toBe(`1. ${source}`)
})

test('an answer is drawn from what was added', async () => {
  const { answer, sources } = JSON.parse(
    (await run('ask', '--json', 'how often should I water lavender?')).stdout,
  ) as { answer: string; sources: { document: string }[] }
  expect(answer).toContain('Water lavender once a week.')
  expect(sources.map(s => s.document)).toContain('garden/lavender.md')
})

test('adding it again changes nothing, as JSON one event a line', async () => {
  const again = await run(
    'kb',
    'add',
    join(docs, 'lavender.md'),
    join(docs, 'paper.pdf'),
    '--kb',
    'herbs',
    '--json',
  )
  const events = again.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(again.code).toBe(0)
  expect(events.at(-1)).toMatchObject({ event: 'done', added: 0, unchanged: 2, failed: 0 })
  expect(await versions()).toEqual({ 'lavender.md': 1, 'paper.pdf': 1 })
})

test('a file that changed is kept as the next version, and its neighbours are not stored again', async () => {
  writeFileSync(join(docs, 'lavender.md'), '# Lavender\n\n## Watering\n\nWater lavender twice a week.\n')
  const again = await run('kb', 'add', 'garden/lavender.md', 'garden/paper.pdf', '--kb', 'herbs')
  expect(again.stdout).toContain('herbs: 1 added, 1 unchanged')
  expect(await versions()).toEqual({ 'lavender.md': 2, 'paper.pdf': 1 })
})

/** How often the originals were stored. */
async function versions(): Promise<Record<string, number>> {
  const { stdout } = await run('data', 'list', 'kb/herbs/', '--json')
  const { objects } = JSON.parse(stdout) as { objects: { name: string; version: number }[] }
  const of = (file: string) => objects.find(o => o.name === `kb/herbs/garden/${file}`)?.version ?? 0
  return { 'lavender.md': of('lavender.md'), 'paper.pdf': of('paper.pdf') }
}

test('knowledge bases and documents are listed', async () => {
  const { kbs } = JSON.parse((await run('kb', 'list', '--json')).stdout)
  expect(kbs).toMatchObject([
    { name: 'docs', owner: 'system', shared: true },
    { name: 'herbs', shared: false, documents: 3, chunks: 4 },
  ])
  const { stdout } = await run('kb', 'list', 'herbs')
  expect(stdout).toMatch(/garden\/lavender\.md +markdown/)
})

test('one broken file alone is exit 5 with its reason', async () => {
  writeFileSync(join(docs, 'empty.md'), '')
  const added = await run('kb', 'add', 'garden/empty.md', '--kb', 'herbs')
  expect(added.code).toBe(5)
  expect(added.stderr).toContain('failed   garden/empty.md cannot be read: it is empty (0 bytes).')
})

test.each([
  [['kb', 'add', 'nowhere'], 2, 'nowhere cannot be added'],
  [['kb', 'add', 'garden', '--kb', 'No Name'], 2, 'not a name'],
  [['kb', 'search', 'x', '--limit', '0'], 2, 'not a whole number'],
  [['kb', 'search', 'x', '--kb', 'unknown'], 2, 'no knowledge base unknown'],
  [['kb', 'list', 'unknown'], 2, 'no knowledge base unknown'],
  [['kb', 'remove', 'herbs', 'nothing.md'], 2, 'no document nothing.md'],
  [['kb', 'remove', 'herbs'], 9, 'with all its documents'],
  [['kb', 'remove', 'herbs', '--confirm', 'docs'], 9, 'not the name'],
  [['kb', 'remove', 'docs', '--confirm', 'docs'], 4, 'belongs to the system'],
])('%j is refused with exit code %i', async (args, code, says) => {
  const refused = await run(...args)
  expect(refused.code).toBe(code)
  expect(refused.stderr).toContain(says)
})

test('a document is removed, then the whole', async () => {
  expect((await run('kb', 'remove', 'herbs', 'garden/page.html')).stdout).toBe(
    'Removed garden/page.html from herbs.\n',
  )
  expect((await run('kb', 'remove', 'herbs', '--confirm', 'herbs')).stdout).toBe(
    'Removed herbs with 2 documents.\n',
  )
  const { kbs } = JSON.parse((await run('kb', 'list', '--json')).stdout)
  expect(kbs.map((k: { name: string }) => k.name)).toEqual(['docs'])
})
