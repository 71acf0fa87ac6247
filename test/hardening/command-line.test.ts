import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../helpers/cli.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'

let cluster: Cluster
const cli = (...args: string[]) => runCli(args, { folder: cluster.folder })

beforeAll(async () => {
  cluster = await startCluster()
  const file = (name: string, bytes: string | Buffer) => writeFileSync(join(cluster.folder, name), bytes)
  file('empty.md', '')
  file('nul.md', 'a\0b')
  file('bytes.txt', Buffer.from([0x41, 0xc3, 0x28, 0x42]))
  file('broken.pdf', '%PDF-1.4\ngarbage')
  file('bare.html', '<html><script>')
  file('words.txt', 'Only words, and no key.\nIn two lines.')
  file('huge.md', Buffer.alloc(50_000_000, 'x '))
  mkdirSync(join(cluster.folder, 'none'))
  symlinkSync('loop', join(cluster.folder, 'loop'))
})
afterAll(() => cluster.stop())

/** Whatever it is told, it says what is wrong and what to do, and never shows a stack. */
const WRONG: [number, ...string[]][] = [
  [2, '--nope'],
  [2, 'xyzzy'],
  [2, 'task'],
  [2, 'task', 'lst'],
  [2, 'ask'],
  [2, 'ask', ''],
  [2, 'ask', '--model', 'x', 'hi'],
  [2, 'ask', '--kb', 'nope', 'hi'],
  [2, 'ask', '--kb', 'BAD name', 'hi'],
  [2, 'ask', '--session', '../x', 'hi'],
  [2, 'ask', '--output', 'yaml', 'hi'],
  [2, 'data', 'put', 'absent'],
  [2, 'data', 'put', 'none'],
  [2, 'data', 'put', 'loop'],
  [2, 'data', 'put', 'words.txt', '--name', '../up'],
  [2, 'data', 'get', 'absent'],
  [2, 'data', 'get', ''],
  [2, 'data', 'rm', '/etc/passwd'],
  [2, 'kb', 'add', 'absent'],
  [2, 'kb', 'add', 'none'],
  [2, 'kb', 'add', 'loop'],
  [2, 'kb', 'add', '/dev/null'],
  [5, 'kb', 'add', 'empty.md', '--kb', 'fuzz'],
  [5, 'kb', 'add', 'nul.md', '--kb', 'fuzz'],
  [5, 'kb', 'add', 'bytes.txt', '--kb', 'fuzz'],
  [5, 'kb', 'add', 'broken.pdf', '--kb', 'fuzz'],
  [5, 'kb', 'add', 'bare.html', '--kb', 'fuzz'],
  [5, 'kb', 'add', 'huge.md', '--kb', 'fuzz'],
  [2, 'kb', 'add', 'words.txt', '--kb', 'Not A Name'],
  [2, 'kb', 'search', ''],
  [2, 'kb', 'search', 'x', '--kb', 'nope'],
  [2, 'kb', 'list', 'nope'],
  [2, 'kb', 'list', '../docs'],
  [9, 'kb', 'remove', 'nope'],
  [4, 'kb', 'remove', 'docs', 'absent.md'],
  [2, 'task', 'submit'],
  [2, 'task', 'submit', '--kind', 'nope', 'x'],
  [2, 'task', 'submit', '--param', 'a', 'x'],
  [2, 'task', 'submit', '--kind', 'qa', '--param', 'question='],
  [2, 'task', 'show', 'xyz'],
  [2, 'task', 'show', '01ARZ3NDEKTSV4RRFFQ69G5FAV'],
  [2, 'task', 'cancel', ''],
  [2, 'task', 'list', '--state', 'nope'],
  [2, 'session', 'show', 'nope'],
  [2, 'session', 'rm', '../x'],
  [2, 'key', 'revoke', 'nope'],
  [2, 'key', 'revoke', 'aaaaaaaaaaaaaaaa'],
  [2, 'key', 'create', ''],
  [2, 'key', 'create', 'a\u001b[31mb'],
  [2, 'key', 'create', 'x', '--expires', 'never'],
  [2, 'key', 'create', 'x', '--scope', 'nope'],
  [2, 'key', 'create', 'x', '--rpm', '0'],
  [2, 'user', 'create', 'Bad Name'],
  [2, 'user', 'create', 'x', '--role', 'king'],
  [9, 'user', 'rm', 'admin'],
  [2, 'user', 'set-role', 'admin', 'viewer'],
  [2, 'model', 'pull', 'nope'],
  [2, 'model', 'rm', 'nope'],
  [2, 'cluster', 'use', 'nope'],
  [2, 'cluster', 'use', '../x', '--url', 'http://127.0.0.1:1'],
  [2, 'cluster', 'use', 'x', '--url', 'ftp://x', '--key-file', 'config/llmagentos/local.key'],
  [2, 'cluster', 'use', 'x', '--url', 'http://127.0.0.1:1', '--key-file', 'none'],
  [2, 'cluster', 'use', 'x', '--url', 'http://127.0.0.1:1', '--key-file', 'words.txt'],
  [2, 'cluster', 'up', '--port', '99999'],
  [2, 'cluster', 'up', '--port', '-1'],
  [2, 'completion', 'tcsh'],
  [2, 'serve', '--config', 'absent'],
  [2, 'serve', '--config', 'none'],
]

test('every mistake at the command line has its exit code and its words', async () => {
  const said: string[] = []
  for (const [code, ...words] of WRONG) {
    const run = await cli(...words)
    expect(run.code, `${words.join(' ')}: ${run.stderr}`).toBe(code)
    // A list of all commands is for `help` tests.
    const text = run.stderr.replace(/^Usage:[\s\S]*/m, 'Usage: ...\n')
    expect(text).not.toMatch(/failed in a way it should not|\n {4}at /)
    said.push(
      `$ ${words.map(w => (/^[\w./:-]+$/.test(w) ? w : JSON.stringify(w))).join(' ')}\n${run.stdout}${text}`,
    )
  }
  await expect(said.join('\n').replaceAll(cluster.folder, 'FOLDER')).toMatchFileSnapshot('command-line.txt')
})

test('under --json each of them is one line of JSON on stderr, with the same exit code', async () => {
  for (const [code, ...words] of WRONG.filter(([code]) => code !== 5)) {
    const run = await cli(...words, '--json')
    expect(run.code, words.join(' ')).toBe(code)
    expect(run.stdout).toBe('')
    expect(run.stderr.trimEnd().split('\n'), words.join(' ')).toHaveLength(1)
    expect(JSON.parse(run.stderr)).toEqual({
      error: expect.objectContaining({ what: expect.stringMatching(/\S/), exit: code }),
    })
  }
})

test('none of it changed anything', async () => {
  expect((await cli('cluster', 'status')).code).toBe(0)
  expect((await cli('cluster', 'list')).stdout).toMatch(/^\* local {2}\S+\n$/)
  expect((await cli('user', 'list', '--json')).stdout).not.toContain('"x"')
  expect((await cli('data', 'list')).stdout).not.toMatch(/up|passwd|words/)
  expect((await cli('kb', 'list', '--json')).stdout).not.toContain('fuzz')
})

describe('a file of ours that somebody broke', () => {
  const book = () => join(cluster.folder, 'config/llmagentos/clusters.json')
  const key = () => join(cluster.folder, 'config/llmagentos/local.key')

  test.each([
    '',
    '{',
    '{}',
    '[]',
    'null',
    '{"clusters":1}',
    '{"clusters":[{"name":"local"}]}',
  ])('the list of clusters is %j', async text => {
    const whole = readFileSync(book())
    writeFileSync(book(), text)
    for (const words of [
      ['ask', 'hi'],
      ['cluster', 'list'],
      ['cluster', 'use', 'local'],
    ]) {
      const run = await cli(...words)
      expect(run.code).toBe(2)
      expect(run.stderr).toContain('The list of clusters cannot be read')
    }
    writeFileSync(book(), whole)
  })

  test.each(['', 'gar\nbage', '\u0000', 'x'.repeat(10_000)])('the key is %j', async text => {
    const whole = readFileSync(key())
    writeFileSync(key(), text)
    const run = await cli('ask', 'hi')
    expect(run.code).toBe(4)
    expect(run.stderr).toContain('There is no API key in')
    writeFileSync(key(), whole)
  })

  test('the key is a folder, or of a form that is none', async () => {
    const whole = readFileSync(key())
    rmSync(key())
    mkdirSync(key())
    expect((await cli('ask', 'hi')).code).toBe(4)
    rmSync(key(), { recursive: true })
    writeFileSync(key(), 'lao_wrong')
    expect(await cli('ask', 'hi')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('not an API key'),
    })
    writeFileSync(key(), whole, { mode: 0o600 })
    chmodSync(key(), 0o600)
    expect((await cli('ask', 'hi')).code).toBe(0)
  })
})

test('what a terminal obeys is shown and not obeyed, whoever put it there', async () => {
  const text = '# \u001b]0;title\u0007Red\u001b[31m\n\nThe zebra \u009b5m eats grass \u001b[2J here.'
  writeFileSync(join(cluster.folder, 'evil.md'), text)
  expect((await cli('kb', 'add', 'evil.md', '--kb', 'evil')).code).toBe(0)
  await cli('ask', '--session', 'evil', 'the \u001b[31mzebra\u009b eats')
  const shown = [
    await cli('kb', 'list', 'evil'),
    await cli('kb', 'search', 'zebra', '--kb', 'evil'),
    await cli('kb', 'search', 'zebra', '--kb', 'evil', '--json'),
    await cli('ask', '--kb', 'evil', 'what does the zebra eat?'),
    await cli('session', 'show', 'evil'),
    await cli('session', 'list'),
    await cli('task', 'submit', 'what does the \u001b[31mzebra eat?', '--wait'),
    await cli('task', 'list'),
    await cli('ask', '--model', 'a\u001b[31mb', 'hi'),
  ]
  expect(shown[1]!.stdout).toContain('zebra')
  for (const { stdout, stderr } of shown)
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
})
