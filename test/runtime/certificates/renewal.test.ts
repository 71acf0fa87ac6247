import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Quota } from '../../../src/runtime/certificates/signer/quota.ts'
import { NoSigner, Signers } from '../../../src/runtime/certificates/tend/signers.ts'
import { Authority } from '../tls/authority.ts'
import { Members, signable, storyOf } from './members.ts'

const read = (file: string) => new X509Certificate(readFileSync(file))

test('a certificate in its last third is renewed for its own key, with the names of the file and not of the request', async () => {
  const members = new Members()
  await members.signer()
  const mine = members.place('n1')
  const before = read(mine.cert)
  expect(await members.tend('n1', { certificates: [mine] })).toMatchObject([{ did: 'renewed' }])
  const now = read(mine.cert)
  expect(now.serialNumber).not.toBe(before.serialNumber)
  expect(now.publicKey.equals(before.publicKey)).toBe(true)
  expect(Date.parse(now.validTo)).toBeGreaterThan(Date.now() + 590_000)
  expect(now.subject).toBe('O=llmagentos\nCN=story')
  expect(now.subjectAltName).toBe('URI:spiffe://halle/story, DNS:n1.halle.internal, DNS:n1')
  expect(members.said.join()).toContain('story: renewed, valid until')
  expect(readdirSync(dirname(mine.cert)).filter(name => name.startsWith('.'))).toEqual([])
  expect(await members.tend('n1', { certificates: [mine] })).toMatchObject([{ did: 'kept' }])
  expect(read(mine.cert).serialNumber).toBe(now.serialNumber)
})

test('one that has more left is kept, without a word to the control nodes', async () => {
  const members = new Members()
  const mine = members.place('n1', 'story', { leftS: 300 })
  const gone = { host: '127.0.0.1', port: 1 }
  expect(await members.tend('n1', { signers: [gone], certificates: [mine] })).toMatchObject([{ did: 'kept' }])
})

test('one for servers alone is renewed under itself too', async () => {
  const members = new Members()
  await members.signer({ n1: { web: signable('n1', 'web', 'serverAuth') } })
  const mine = { ...members.place('n1', 'web'), name: 'web' }
  expect(await members.tend('n1', { certificates: [mine] })).toMatchObject([{ did: 'renewed' }])
  expect(read(mine.cert).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  // Its end is told in whole seconds, and has to be later.
  await sleep(1_100)
  const later = { ...mine, lifeMs: 3_600_000 }
  expect(await members.tend('n1', { certificates: [later] })).toMatchObject([{ did: 'renewed' }])
})

test('an ended one renews nothing, and the others are renewed all the same', async () => {
  const members = new Members()
  await members.signer({ n1: { story: signable('n1', 'story'), web: signable('n1', 'web') } })
  const ended = members.place('n1', 'story', { leftS: -60 })
  const other = { ...members.place('n1', 'web'), name: 'web' }
  const outcomes = await members.tend('n1', { certificates: [ended, other] })
  expect(outcomes).toMatchObject([
    { did: 'failed', why: expect.stringContaining('an ended one renews nothing') },
    { did: 'renewed' },
  ])
})

test('who is no member any more, or asks for a name that is not its own, gets nothing', async () => {
  const members = new Members()
  await members.signer({ ...storyOf('n1'), n2: { other: signable('n2', 'other') } })
  const removed = members.place('n3')
  const foreign = members.place('n2')
  const posing = { ...members.place('n1', 'story'), name: 'other' }
  const before = [removed, foreign, posing].map(({ cert }) => read(cert).serialNumber)
  expect(await members.tend('n3', { certificates: [removed] })).toMatchObject([
    { did: 'failed', why: expect.stringContaining('n3.halle.internal is no member of halle.') },
  ])
  expect(await members.tend('n2', { certificates: [foreign] })).toMatchObject([
    { did: 'failed', why: expect.stringContaining('n2 has no certificate of the name story.') },
  ])
  expect(await members.tend('n1', { certificates: [posing] })).toMatchObject([
    { did: 'failed', why: expect.stringContaining('n1 has no certificate of the name other.') },
  ])
  const poser = { ...members.place('n2', 'other', { uri: 'spiffe://halle/story' }), name: 'other' }
  expect(await members.tend('n2', { certificates: [poser] })).toMatchObject([
    { did: 'failed', why: expect.stringContaining('This is no certificate of other on n2.') },
  ])
  expect([removed, foreign, posing].map(({ cert }) => read(cert).serialNumber)).toEqual(before)
})

test('no key but the one of the client certificate is signed', async () => {
  const members = new Members()
  await members.signer()
  const mine = members.place('n1')
  const other = members.place('n2')
  const crossed = { ...mine, request: other.request }
  expect(await members.tend('n1', { certificates: [crossed] })).toMatchObject([
    { did: 'failed', why: expect.stringContaining('another key than the one of the certificate of story') },
  ])
  writeFileSync(mine.request, 'no request')
  expect(await members.tend('n1', { certificates: [mine] })).toMatchObject([
    { did: 'failed', why: expect.stringContaining('was not signed') },
  ])
  writeFileSync(mine.request, 'x'.repeat(9000))
  expect(await members.tend('n1', { certificates: [mine] })).toMatchObject([{ did: 'failed' }])
})

test('a certificate of another CA is worth nothing on either side', async () => {
  const members = new Members()
  await members.signer()
  const foreign = members.place('n1', 'story', { by: new Authority(members.folder, 'other') })
  expect(await members.tend('n1', { certificates: [foreign] })).toMatchObject([
    { did: 'failed', why: expect.stringContaining("not from the cluster's CA of now") },
  ])
  const files = { cert: readFileSync(foreign.cert, 'utf8'), key: readFileSync(foreign.key, 'utf8') }
  const config = members.config('n1', { certificates: [foreign] })
  const signers = new Signers(config, { ...files, ca: readFileSync(members.authority.ca, 'utf8') })
  onTestFinished(() => signers.close())
  const asked = signers.certificate(
    'story',
    readFileSync(foreign.request, 'utf8'),
    AbortSignal.timeout(5_000),
  )
  await expect(asked).rejects.toThrow(NoSigner)
})

test('while no control node answers it says so, and the next run works; one of three is enough', async () => {
  const members = new Members()
  await members.signer()
  const mine = members.place('n1')
  await members.stopSigners()
  const gone = { host: '127.0.0.1', port: 1 }
  expect(await members.tend('n1', { signers: [gone, gone], certificates: [mine] })).toMatchObject([
    { did: 'failed', alone: true, why: expect.stringContaining('no control node answered') },
  ])
  const at = await members.signer()
  const signers = [gone, gone, at]
  expect(await members.tend('n1', { signers, certificates: [mine] })).toMatchObject([{ did: 'renewed' }])
})

test('a node that asks again and again is told to wait, and another one is not', () => {
  let now = 0
  const quota = new Quota(() => now)
  const ask = (node: string) => quota.take({ node, name: 'story', lifeMs: 240_000 })
  for (let i = 0; i < 20; i++) expect(ask('n1')).toBeUndefined()
  now = 60_000
  expect(ask('n1')).toBe(180)
  expect(ask('n2')).toBeUndefined()
  now = 240_000
  expect(ask('n1')).toBeUndefined()
})

test('units that use it are told by one node at a time', async () => {
  const members = new Members()
  for (let i = 0; i < 3; i++) await members.signer()
  const { calls } = systemctl(members.folder, 'sleep 0.3')
  const nodes = ['n1', 'n2', 'n3']
  const placed = nodes.map(node => members.place(node))
  const outcomes = await Promise.all(
    nodes.map((node, i) =>
      members.tend(node, { certificates: [{ ...placed[i]!, users: [`${node}.service`] }] }),
    ),
  )
  expect(outcomes.flat()).toMatchObject(nodes.map(() => ({ did: 'renewed' })))
  const told = calls()
  expect(told.filter(call => call.startsWith('begin')).toSorted()).toEqual(
    nodes.map(node => `begin try-reload-or-restart -- ${node}.service`),
  )
  for (let i = 0; i < told.length; i += 2) expect(told[i + 1]).toBe(told[i]!.replace('begin', 'end'))
}, 60_000)

test('units that were not told of a certificate are told by the next run', async () => {
  const members = new Members()
  await members.signer()
  const mine = { ...members.place('n1'), users: ['web.service'] }
  systemctl(members.folder, 'exit 1')
  expect(await members.tend('n1', { certificates: [mine] })).toMatchObject([
    { did: 'failed', why: expect.stringContaining('web.service did not take it') },
  ])
  const { calls } = systemctl(members.folder, ':')
  const serial = read(mine.cert).serialNumber
  expect(await members.tend('n1', { certificates: [mine] })).toMatchObject([{ did: 'kept' }])
  expect(calls()).toContain('end try-reload-or-restart -- web.service')
  expect(read(mine.cert).serialNumber).toBe(serial)
  expect(await members.tend('n1', { certificates: [mine] })).toMatchObject([{ did: 'kept' }])
  expect(calls()).toHaveLength(2)
})

/** A stand-in for systemctl, which needs a service manager. */
function systemctl(folder: string, act: string) {
  const bin = join(folder, 'bin')
  const told = join(folder, `told-${Math.random()}`)
  mkdirSync(bin, { recursive: true })
  writeFileSync(
    join(bin, 'systemctl'),
    `#!/bin/sh\necho "begin $*" >>${told}\n${act}\necho "end $*" >>${told}\n`,
  )
  chmodSync(join(bin, 'systemctl'), 0o755)
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`)
  return { calls: () => (existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : []) }
}
