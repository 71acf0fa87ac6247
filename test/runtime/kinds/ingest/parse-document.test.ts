import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseDocument } from '../../../../src/runtime/kinds/ingest/index.ts'
import { tempFolder } from '../../../helpers/temp.ts'
import { pdfFile } from './pdf-file.ts'

const read = (bytes: Buffer | string, name: string) =>
  parseDocument({ bytes: Buffer.from(bytes as string), name })

test('Markdown keeps its headings and lines, and the first heading is its title', async () => {
  const found = await read('# Guide\n\nHello.\n\n## Install\n\nRun this.\n', 'docs/guide.md')
  expect(found).toMatchObject({ title: 'Guide', type: 'markdown', bytes: 39 })
  expect(found.sha256).toMatch(/^[0-9a-f]{64}$/)
  expect(found.chunks).toEqual([
    { text: 'Hello.', position: { line: 3, heading: 'Guide' } },
    { text: 'Run this.', position: { line: 7, heading: 'Install' } },
  ])
})

test('plain text is named after its file and counts its lines', async () => {
  const found = await read('\ufeffone\r\n\r\ntwo\r\n', 'my-notes_2.txt')
  expect(found).toMatchObject({ title: 'my notes 2', type: 'text' })
  expect(found.chunks).toEqual([{ text: 'one\n\ntwo', position: { line: 1 } }])
})

test('UTF-16 with its mark is read', async () => {
  const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('Größe', 'utf16le')])
  expect((await read(bytes, 'a.txt')).chunks[0]!.text).toBe('Größe')
})

test('HTML gives what a reader sees, under its headings, with its title', async () => {
  const page = `<!doctype html><html><head><title>The &amp; page</title><style>p{color:red}</style></head><body>
    <nav>menu</nav><h1>Top</h1><p>First   <b>bold</b>.</p><script>alert(1)</script>
    <h2>Code</h2><pre>a
  b</pre><ul><li>one</li><li>two</li></ul><table><tr><td>cell</td><td>next</td></tr></table></body></html>`
  const found = await read(page, 'page.html')
  expect(found).toMatchObject({ title: 'The & page', type: 'html' })
  expect(found.chunks[0]).toEqual({ text: 'First bold.', position: { heading: 'Top' } })
  expect(found.chunks[1]!.position).toEqual({ heading: 'Top > Code' })
  expect(found.chunks[1]!.text).toContain('a\n  b')
  expect(found.chunks[1]!.text).toMatch(/\* one\n *\* two/)
  const all = found.chunks.map(c => c.text).join('\n')
  expect(all).toMatch(/cell\s+next/)
  for (const hidden of ['menu', 'alert', 'color', 'The & page']) expect(all).not.toContain(hidden)
})

test('HTML is known by its content where the name does not say it', async () => {
  expect((await read('<!DOCTYPE html><p>x</p>', 'download')).type).toBe('html')
})

test('a PDF is read page by page', async () => {
  const found = await read(pdfFile([['Alpha beta.'], ['Gamma.', 'Delta.']], { title: 'A paper' }), 'x.pdf')
  expect(found).toMatchObject({ title: 'A paper', type: 'pdf' })
  expect(found.chunks.map(c => [c.position, c.text.replace(/\s+/g, ' ')])).toEqual([
    [{ page: 1 }, 'Alpha beta.'],
    [{ page: 2 }, 'Gamma. Delta.'],
  ])
})

test.each<[string, Buffer | string, string, number, RegExp]>([
  ['0 bytes', '', 'a.md', 422, /it is empty/],
  ['blanks alone', ' \n\n', 'a.txt', 422, /holds no text/],
  ['NUL bytes', 'a\0b', 'a.txt', 422, /NUL bytes/],
  ['invalid UTF-8', Buffer.from([0x61, 0xff, 0xe9]), 'a.md', 422, /not UTF-8/],
  ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d]), 'a.png', 422, /a PNG picture/],
  ['an office document', 'PK\x03\x04rest', 'a.docx', 422, /office document/],
  ['a picture named as text', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'a.txt', 422, /JPEG/],
  ['a text named as PDF', 'hello', 'a.pdf', 422, /content does not/],
  ['a broken PDF', '%PDF-1.7\ngarbage', 'a.pdf', 422, /broken PDF/],
  ['half a PDF', pdfFile([['Alpha']]).subarray(0, 200), 'a.pdf', 422, /PDF|no text/],
  ['an encrypted PDF', pdfFile([['Alpha']], { encrypted: true }), 'a.pdf', 422, /encrypted/],
  ['a PDF without text', pdfFile([[]]), 'a.pdf', 422, /OCR/],
  ['a page without text', '<html><script>x</script></html>', 'a.html', 422, /holds no text/],
  ['50 MB', Buffer.alloc(50_000_000, 'a '), 'a.txt', 413, /47.7 MiB; a document may have 32 MiB/],
])('%s is refused in one sentence', async (_, bytes, name, status, says) => {
  const refused = await read(bytes, name).catch(thrown => thrown)
  expect(refused).toMatchObject({ status, message: expect.stringMatching(says) })
  expect(refused.message.startsWith(name)).toBe(true)
})

test('HTML nested a hundred thousand deep is refused or read, and harms nobody', async () => {
  const deep = `${'<div>'.repeat(100_000)}deep${'</div>'.repeat(100_000)}`
  const outcome = await read(deep, 'deep.html').catch(thrown => thrown)
  expect(outcome.status ?? 422).toBe(422)
  expect((await read('fine', 'a.txt')).chunks).toHaveLength(1)
})

test('a file is read by its path; a folder and a missing file are the caller’s mistake', async () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'a.md'), '# A\n\ntext')
  mkdirSync(join(folder, 'sub'))
  expect(await parseDocument({ path: join(folder, 'a.md'), name: 'a.md' })).toMatchObject({ title: 'A' })
  await expect(parseDocument({ path: join(folder, 'sub'), name: 'sub' })).rejects.toMatchObject({
    status: 400,
  })
  await expect(parseDocument({ path: join(folder, 'none'), name: 'none' })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('There is no file'),
  })
})

test('a parse that takes too long is ended', async () => {
  const bytes = Buffer.from(`<html>${'<p>word word word</p>'.repeat(300_000)}</html>`)
  await expect(parseDocument({ bytes, name: 'slow.html', limits: { seconds: 0.2 } })).rejects.toMatchObject({
    status: 422,
    message: expect.stringContaining('takes longer than 0.2 s'),
  })
})

test('a parse that takes too much memory is ended', async () => {
  const bytes = Buffer.from(`<html>${'<p>word <b>word</b> word</p>'.repeat(400_000)}</html>`)
  await expect(parseDocument({ bytes, name: 'fat.html', limits: { heapMb: 32 } })).rejects.toMatchObject({
    status: 422,
    message: expect.stringContaining('more memory'),
  })
})

test('a parse that nobody waits for any more is ended', async () => {
  const gone = new AbortController()
  const bytes = Buffer.from(`<html>${'<p>word</p>'.repeat(300_000)}</html>`)
  const parsing = parseDocument({ bytes, name: 'a.html', signal: gone.signal })
  gone.abort(new Error('gone'))
  await expect(parsing).rejects.toThrow('gone')
})
