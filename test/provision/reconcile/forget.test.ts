import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { runHere } from '../../../src/provision/connections/local.ts'
import { FORGET } from '../../../src/provision/reconcile/programs/forget.ts'
import { CACHE, FENCED, STATE } from '../../../src/provision/reconcile/programs/places.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** This machine as a node all of whose folders are the test's own, and without units. */
function node() {
  const root = tempFolder()
  const program = [STATE, CACHE, '/run/llmagentos', '/etc/?', '/opt/?', '/var/lib/" $4']
    .reduce((text, path) => text.replaceAll(path, root + path), FORGET)
    .replaceAll(`${root}${root}`, root)
    .replaceAll('systemctl ', ': ')
  const write = (path: string, text = '') => {
    mkdirSync(dirname(root + path), { recursive: true })
    writeFileSync(root + path, text)
  }
  const manifest = ['/etc/llmagentos/tls/a.key', '/etc/llmagentos/b', '/etc/shared/c']
  const lines = [
    ...manifest.map(path => `file\t${root}${path}`),
    'user\tstory-log',
    'user\tstory-idle',
    'user\t../odd',
  ]
  write(`${STATE}/manifest`, lines.map(line => `-\tstory\t${line}\n`).join(''))
  write('/var/lib/story-log/requests')
  write('/var/odd/x')
  mkdirSync(join(root, 'var/lib/story-idle'))
  write(`${STATE}/fence`, '3\n')
  write(`${STATE}/lock/number`, '3\n')
  write(`${CACHE}/upload`)
  write('/run/llmagentos/steps/x')
  mkdirSync(join(root, 'etc/llmagentos/tls'), { recursive: true })
  write('/etc/shared/of-others')
  return {
    write,
    has: (path: string) => existsSync(root + path),
    forget: async (what: string, number: number) => {
      const argv: [string, ...string[]] = ['sh', '-c', program, 'sh', what, String(number)]
      return (await runHere(argv, { deadlineMs: 20_000 })).code
    },
  }
}

test('a node that forgets the cluster loses all that is ours, and folders that are empty now', async () => {
  const one = node()
  expect(await one.forget('all', 3)).toBe(0)
  for (const path of [STATE, CACHE, '/run/llmagentos', '/etc/llmagentos'])
    expect(one.has(path), path).toBe(false)
  expect(one.has('/etc/shared/of-others')).toBe(true)
  expect(await one.forget('all', 3)).toBe(0)
})

test('a node that keeps data loses empty folders alone', async () => {
  const one = node()
  expect(await one.forget('empty', 3)).toBe(0)
  expect(one.has('/etc/llmagentos')).toBe(false)
  expect(one.has('/var/lib/story-idle')).toBe(false)
  expect(one.has('/var/lib/story-log/requests')).toBe(true)
  expect(one.has(`${STATE}/manifest`)).toBe(true)
})

test('what services remembered for themselves goes only when data is to go', async () => {
  const one = node()
  expect(await one.forget('all', 3)).toBe(0)
  expect(one.has('/var/lib/story-log/requests')).toBe(true)
  const other = node()
  expect(await other.forget('purge', 3)).toBe(0)
  expect(other.has('/var/lib/story-log')).toBe(false)
  expect(other.has('/var/odd/x')).toBe(true)
  expect(other.has(STATE)).toBe(false)
})

test('a folder of ours in which somebody put something stays', async () => {
  const one = node()
  one.write('/etc/llmagentos/of-others')
  expect(await one.forget('all', 3)).toBe(0)
  expect(one.has('/etc/llmagentos/of-others')).toBe(true)
  expect(one.has('/etc/llmagentos/tls')).toBe(false)
})

test('nothing is forgotten for a run that may no longer change the node, or while another one has the lock', async () => {
  const one = node()
  expect(await one.forget('all', 2)).toBe(FENCED)
  one.write(`${STATE}/lock/lease`, 'somebody\n')
  expect(await one.forget('all', 3)).toBe(FENCED)
  expect(one.has(`${STATE}/manifest`)).toBe(true)
})
