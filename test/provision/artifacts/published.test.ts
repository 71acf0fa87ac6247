import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { artifactSource } from '../../../src/provision/artifacts/index.ts'
import { lockFile, lockFileOf } from '../../../src/provision/cluster/lock-file.ts'
import { program } from '../../../src/provision/components/ollama/program.ts'
import { tempFolder } from '../../helpers/temp.ts'

const VERSION = '0.32.15'
const NAME = `ollama-${VERSION}-linux-x64`
const FILE = 'ollama-linux-amd64.tgz'
const FILES = {
  'bin/ollama': '#!/bin/sh\n',
  'lib/ollama/llama-server': '#!/bin/sh\n',
  'lib/ollama/libggml.so.1': 'ggml',
}

/** A mirror that holds one release, packed from files of ours, and an operator who takes it from there. */
function setUp(
  files: Record<string, string> = FILES,
  links: Record<string, string> = { 'lib/ollama/libggml.so': 'libggml.so.1' },
) {
  const mirror = tempFolder()
  const home = join(mirror, 'ollama', `v${VERSION}`)
  const cache = tempFolder()
  const lock = join(cache, 'cluster.lock.yaml')
  mkdirSync(home, { recursive: true })
  const archive = join(home, FILE)
  const pack = (held: Record<string, string>) => {
    const from = tempFolder()
    const at = (path: string) => {
      mkdirSync(dirname(join(from, path)), { recursive: true })
      return join(from, path)
    }
    for (const [path, text] of Object.entries(held)) writeFileSync(at(path), text, { mode: 0o755 })
    for (const [path, to] of Object.entries(links)) symlinkSync(to, at(path))
    execFileSync('tar', ['-czf', archive, '-C', from, '.'])
    const hex = createHash('sha256').update(readFileSync(archive)).digest('hex')
    writeFileSync(join(home, program.sums), `${'0'.repeat(64)}  ./install.sh\n${hex}  ./${FILE}\n`)
  }
  pack(files)
  const take = (name = NAME) =>
    artifactSource(
      { PATH: process.env['PATH'], HOME: cache, XDG_CACHE_HOME: cache },
      { mirror: pathToFileURL(mirror).href, published: [program], locked: lockFile(lock) },
    )(name)
  return { archive, pack, take, lock, cache: join(cache, 'llmagentos') }
}

test('a release is taken by the digest of its list, which is kept, and its files and links arrive', async () => {
  const { take, lock, cache } = setUp()
  const { sha256 } = await take()
  expect(readFileSync(lock, 'utf8')).toMatch(
    /^ {2}ollama\/0\.32\.15\/ollama-linux-amd64\.tgz: sha256-\S{44}$/m,
  )
  // What was fetched is not kept twice.
  expect(readdirSync(cache)).toEqual([`${NAME}.${sha256}.tar.gz`])
  const to = tempFolder()
  execFileSync('tar', ['-xzf', join(cache, `${NAME}.${sha256}.tar.gz`), '-C', to])
  for (const [path, text] of Object.entries(FILES)) expect(readFileSync(join(to, path), 'utf8')).toBe(text)
  expect(readFileSync(join(to, 'lib/ollama/libggml.so'), 'utf8')).toBe('ggml')
  const listed = execFileSync('tar', ['-tvzf', join(cache, `${NAME}.${sha256}.tar.gz`)]).toString()
  expect(listed).toMatch(/^-rwxr-xr-x root\/root .* \.?\/?bin\/ollama$/m)
})

test('what is another file later is refused, though the list was changed with it', async () => {
  const { pack, take, lock, cache } = setUp()
  await take()
  const locked = readFileSync(lock, 'utf8')
  execFileSync('rm', ['-r', cache])
  pack({ ...FILES, 'bin/ollama': '#!/bin/sh\necho other\n' })
  await expect(take()).rejects.toMatchObject({
    exit: 9,
    message: expect.stringContaining('not the file that we know'),
  })
  expect(readFileSync(lock, 'utf8')).toBe(locked)
})

test('an archive that is cut short is refused', async () => {
  const { archive, take } = setUp()
  truncateSync(archive, 100)
  await expect(take()).rejects.toMatchObject({ exit: 9 })
})

test('one that is packed otherwise is named', async () => {
  const { take } = setUp({ 'bin/ollama': '#!/bin/sh\n' })
  await expect(take()).rejects.toMatchObject({
    exit: 3,
    message: `${FILE} of ollama ${VERSION} lacks lib/ollama/llama-server.`,
  })
})

test('a link that leads out of the archive is refused', async () => {
  for (const target of ['/etc/shadow', '../../../etc/shadow', '../..']) {
    const { take } = setUp(FILES, { 'lib/x': target })
    await expect(take(), target).rejects.toMatchObject({ exit: 9 })
  }
})

test('a release that is not there for a processor is named', async () => {
  const { take } = setUp()
  await expect(take(`ollama-${VERSION}-linux-arm64`)).rejects.toMatchObject({
    exit: 3,
    message: `There is no ollama ${VERSION} for arm64.`,
  })
})

test('a release that the mirror lacks is named', async () => {
  const { take } = setUp()
  await expect(take('ollama-0.31.0-linux-x64')).rejects.toMatchObject({
    exit: 3,
    message: expect.stringMatching(/ollama\/v0\.31\.0\/sha256sum\.txt could not be fetched/),
  })
})

test('a version that is no version is no artifact', async () => {
  const { take } = setUp()
  await expect(take('ollama-../../x-linux-x64')).rejects.toThrow('this installation has no artifact')
})

test('a lock that was damaged says so, and names itself', async () => {
  const { take, lock } = setUp()
  writeFileSync(lock, 'artifacts: {ollama/0.32.15/ollama-linux-amd64.tgz: 12}\n')
  await expect(take()).rejects.toMatchObject({ exit: 2, message: `${lock} cannot be read.` })
})

test('the lock lies beside the file of the cluster, under its name', () => {
  expect(['cluster.yaml', 'a/b.yml', 'halle'].map(lockFileOf)).toEqual([
    'cluster.lock.yaml',
    'a/b.lock.yaml',
    'halle.lock.yaml',
  ])
})
