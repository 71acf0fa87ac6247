import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { CreateMultipartUploadCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { EXIT } from '../../src/errors.ts'
import { silent } from '../../src/log.ts'
import { Gateways } from '../../src/runtime/services/data/store/s3/gateways.ts'
import { openS3 } from '../../src/runtime/services/data/store/s3/index.ts'
import { abandonUnfinished } from '../../src/runtime/services/data/store/s3/leftovers.ts'
import { storeContract } from '../runtime/services/data/store/contract.ts'
import { authority } from './authority.ts'
import { proxyTo } from './ceph/proxy.ts'
import { type Rgw, startRgw } from './ceph/rgw.ts'
import { digest, digestOf, MIB, opened, pieces, plainly, unfinishedUploads, work } from './ceph/stores.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('Ceph of %s', suite => {
  let lab: Lab
  let ceph: Rgw

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 1 })
    ceph = await startRgw(lab)
    process.stdout.write(`Ceph of ${suite}: ${ceph.version}\n`)
  })
  afterAll(() => lab?.close())

  storeContract('the store on two gateways', async () => opened(await ceph.config()))

  describe('answers that are lost', () => {
    test('of 20 racing writers whose first answer is cut after the commit, one created and each knows which', async () => {
      const config = await ceph.config({ tls: false })
      const proxies = await Promise.all(config.endpoints.map(proxyTo))
      onTestFinished(() => Promise.all(proxies.map(p => p.close())).then(() => undefined))
      const endpoints = proxies.map(p => ({ host: '127.0.0.1', port: p.port }))
      const stores = await Promise.all([0, 1].map(i => opened({ ...config, endpoints: [endpoints[i]!] })))
      for (let round = 0; round < 5; round++) {
        for (const p of proxies) p.lose = p.lost + 10
        const race = Array.from({ length: 20 }, (_, i) =>
          stores[i % 2]!.create(`q/${round}`, Buffer.from(`by ${i}`), `w${i}`),
        )
        const ends = await Promise.all(race)
        const winner = ends.findIndex(e => e.created)
        expect(ends.filter(e => e.created)).toHaveLength(1)
        expect(new Set(ends.map(e => e.writer))).toEqual(new Set([`w${winner}`]))
        expect(String(await stores[0]!.get(`q/${round}`))).toBe(`by ${winner}`)
      }
      expect(proxies.map(p => p.lost)).toEqual([50, 50])
    })

    test('a create whose answer is lost is one all the same; one that finds another writer is not', async () => {
      const { store, proxy } = await throughProxy()
      proxy.lose = 1
      expect(await store.create('q/a', Buffer.from('one'), 'w1')).toEqual({ created: true, writer: 'w1' })
      proxy.lose = 2
      expect(await store.create('q/a', Buffer.from('two'), 'w2')).toEqual({ created: false, writer: 'w1' })
      expect(await store.create('q/a', Buffer.from('one'), 'w1')).toEqual({ created: false, writer: 'w1' })
      expect(proxy.lost).toBe(2)
    })

    test('a blob whose every part and end is answered into the void is whole', async () => {
      const { store, proxy } = await throughProxy()
      const content = randomBytes(20 * MIB)
      proxy.lose = 6
      const { blob, sha256 } = await store.putBlob(Readable.from(pieces(content)))
      expect(proxy.lost).toBe(6)
      expect(sha256).toBe(digest(content))
      expect(await digestOf((await store.getBlob(blob))!.body)).toBe(sha256)
    })
  })

  describe('one of two gateways', () => {
    afterEach(async () => {
      if (lacks) return
      await ceph.freeze('a', false)
      await ceph.start('a')
    })

    test('is killed: nothing fails, and all is quick', async () => {
      const store = await opened(await ceph.config())
      await ceph.kill('a')
      const slowest = await work(store, 'killed', 40)
      expect(slowest).toBeLessThan(2_000)
    })

    test('is frozen: one waits 2 s for it, then nobody does, and it is used again once it answers', async () => {
      const said: string[] = []
      const note = (_: object, says: string) => void said.push(says)
      const store = await opened(await ceph.config(), { log: { ...silent, warn: note, info: note } })
      await work(store, 'before', 3)
      await ceph.freeze('a', true)
      const first = await work(store, 'first', 1)
      expect(first).toBeGreaterThan(1_500)
      expect(first).toBeLessThan(10_000)
      expect(await work(store, 'later', 20)).toBeLessThan(2_000)
      await ceph.freeze('a', false)
      await expect.poll(() => said.join('\n'), { timeout: 15_000 }).toContain('answers again')
      expect(await work(store, 'after', 3)).toBeLessThan(2_000)
    })

    test('is killed while a blob is written and while it is read: it is whole both times', async () => {
      const config = await ceph.config()
      const store = await opened(config)
      const content = randomBytes(96 * MIB)
      const written = store.putBlob(Readable.from(killing(content)))
      const { blob, sha256, bytes } = await written
      expect({ sha256, bytes }).toEqual({ sha256: digest(content), bytes: content.length })
      expect(await unfinishedUploads(config)).toBe(0)
      await ceph.start('a')
      const again = await opened(config)
      const { body } = (await again.getBlob(blob))!
      const hash = createHash('sha256')
      let seen = 0
      for await (const piece of body as AsyncIterable<Buffer>) {
        if (seen < 10 * MIB && seen + piece.length >= 10 * MIB) await ceph.kill('a')
        seen += piece.length
        hash.update(piece)
      }
      expect(hash.digest('hex')).toBe(sha256)
    })

    async function* killing(content: Buffer): AsyncGenerator<Buffer> {
      for (const [i, piece] of pieces(content).entries()) {
        if (i === 40) await ceph.kill('a')
        yield piece
      }
    }
  })

  test('with no gateway that answers, each act ends with a refusal at its deadline, and goes on afterwards', async () => {
    const store = await opened(await ceph.config(), { deadlineMs: 6_000 })
    await store.create('q/a', Buffer.from('one'), 'w')
    for (const g of ['a', 'b'] as const) await ceph.freeze(g, true)
    try {
      const began = performance.now()
      const acts = [
        store.create('q/b', Buffer.from('x'), 'w'),
        store.get('q/a'),
        store.list('q/', { limit: 5 }),
        store.delete('q/z'),
        store.putBlob(Readable.from([randomBytes(1000)])),
      ]
      const away = { status: 503, code: 'store_away', message: expect.stringContaining('within 6 s') }
      for (const act of acts) await expect(act).rejects.toMatchObject(away)
      expect(performance.now() - began).toBeLessThan(9_000)
    } finally {
      for (const g of ['a', 'b'] as const) await ceph.freeze(g, false)
    }
    await expect.poll(() => store.get('q/a').then(String, String), { timeout: 30_000 }).toBe('one')
  })

  test('an upload that nobody ended is abandoned once it is old, and a body that is cut leaves none', async () => {
    const config = await ceph.config()
    const store = await opened(config)
    const cut = async function* () {
      yield randomBytes(20 * MIB)
      throw new Error('cut')
    }
    await expect(store.putBlob(Readable.from(cut()))).rejects.toThrow('cut')
    expect(await unfinishedUploads(config)).toBe(0)
    const Key = `blob/${randomBytes(16).toString('hex')}`
    await plainly(config, c => c.send(new CreateMultipartUploadCommand({ Bucket: config.buckets.data, Key })))
    const gateways = new Gateways(config, { log: silent })
    onTestFinished(() => gateways.close())
    expect(await abandonUnfinished({ config, gateways, before: Date.now() - 60_000 })).toBe(0)
    expect(await abandonUnfinished({ config, gateways, before: Date.now() + 60_000 })).toBe(1)
    expect(await unfinishedUploads(config)).toBe(0)
  })

  describe('at its start', () => {
    test.each([
      'Enabled',
      'Suspended',
    ] as const)('a bucket whose versioning is %s is refused by name', async Status => {
      const config = await ceph.config()
      const { sys: Bucket } = config.buckets
      const on = { Bucket, VersioningConfiguration: { Status: 'Enabled' as const } }
      await plainly(config, c => c.send(new PutBucketVersioningCommand(on)))
      if (Status === 'Suspended')
        await plainly(config, c =>
          c.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } })),
        )
      const message = `The bucket ${Bucket} of the store is versioned.`
      await expect(openS3(config)).rejects.toMatchObject({ exit: EXIT.unsafe, message })
    })

    test('buckets that are not there are named, and not made', async () => {
      const config = await ceph.config({ made: false })
      const refused = { exit: EXIT.preflight, message: expect.stringContaining(config.buckets.tasks) }
      await expect(openS3(config)).rejects.toMatchObject(refused)
      await expect(openS3(config)).rejects.toMatchObject(refused)
    })

    test('a key that the store does not know is refused, and quoted nowhere', async () => {
      const secretKeyFile = join(lab.folder, 'wrong-key')
      writeFileSync(secretKeyFile, 'not-the-right-one')
      const failed = await openS3({ ...(await ceph.config()), secretKeyFile }).catch(
        (thrown: unknown) => thrown,
      )
      expect(failed).toMatchObject({
        exit: EXIT.preflight,
        why: expect.stringContaining('SignatureDoesNotMatch'),
      })
      expect(JSON.stringify(failed)).not.toContain('not-the-right-one')
    })

    test('gateways with a certificate of another authority are not believed', async () => {
      const tls = { ca: authority(join(lab.folder, 'other')).certificate }
      const config = { ...(await ceph.config()), tls }
      await expect(openS3(config, { deadlineMs: 2_000 })).rejects.toMatchObject({ exit: EXIT.unreachable })
    })
  })

  async function throughProxy() {
    const config = await ceph.config({ tls: false, gateways: ['a'] })
    const proxy = await proxyTo(config.endpoints[0]!)
    onTestFinished(() => proxy.close())
    const store = await opened({ ...config, endpoints: [{ host: '127.0.0.1', port: proxy.port }] })
    return { store, proxy }
  }
})
