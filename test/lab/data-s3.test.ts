import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { HOP } from '../../src/contracts/hop.ts'
import { getObject, putObject } from '../../src/contracts/objects.ts'
import { appendTurn, showSession } from '../../src/contracts/sessions.ts'
import { silent } from '../../src/log.ts'
import { migrate } from '../../src/runtime/services/data/migrate/index.ts'
import { tempFolder } from '../helpers/temp.ts'
import { program } from '../runtime/services/data/program.ts'
import { hopOf } from '../runtime/services/data/service.ts'
import { type Rgw, startRgw } from './ceph/rgw.ts'
import { createdAt, digest, knowledgeOf, objectsOf, peakMib, recordAt, TURN } from './data/acts.ts'
import { callsTo, type Instance, startInstance } from './data/instance.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

const MIB = 1024 * 1024

describe.each(SUITES)('data services on Ceph of %s', suite => {
  let lab: Lab
  let ceph: Rgw

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ suite, nodes: 1 })
    ceph = await startRgw(lab)
  })
  afterAll(() => lab?.close())

  /** What an instance starts with, on buckets of its own, and objects through some of them. */
  async function site() {
    const [s3, file] = [await ceph.config(), await program('server')]
    return { file, store: { s3 }, objects: (on: Instance[]) => objectsOf(callsTo(on, 'gateway')) }
  }

  async function two() {
    const { file, store, objects } = await site()
    const [a, b] = await Promise.all([startInstance(file, { store }), startInstance(file, { store })])
    return { a, b, byA: objects([a]), byB: objects([b]), objects }
  }

  test('writers of one name at two instances: one wins a new name, and replacing gives each a version', async () => {
    const { byA, byB } = await two()
    const race = (replace: boolean) =>
      Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          [byA, byB][i % 2]!.put('name', Buffer.from(`${replace} ${i}`), { replace }),
        ),
      )
    const first = await race(false)
    expect(first.filter(r => r.status === 'fulfilled')).toHaveLength(1)
    for (const r of first) if (r.status === 'rejected') expect(r.reason).toMatchObject({ status: 409 })
    const then = await race(true)
    const versions = then.map(r => (r.status === 'fulfilled' ? r.value.version : r.reason))
    expect(versions.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2))
    for (const [i, version] of versions.entries())
      expect(String(await byB.get('name', version))).toBe(`true ${i}`)
  })

  test('turns of one session at two instances all stay, each once', async () => {
    const { a, b } = await two()
    const at = [callsTo([a], 'llm'), callsTo([b], 'llm')]
    const turns = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const body = { ...TURN, question: `question ${i}` }
        const headers = { [HOP.writer]: randomBytes(8).toString('hex') }
        return (await at[i % 2]!.call(appendTurn, hopOf('ann'), { params: { id: 's' }, body, headers })).turn
      }),
    )
    expect(turns.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    const shown = await callsTo([b], 'gateway').call(showSession, hopOf('ann'), {
      params: { id: 's' },
      query: {},
    })
    expect(new Set(shown.turns.map(t => t.question)).size).toBe(20)
  })

  test('knowledge that one instance stores, replaces or removes, the other finds so at once', async () => {
    const { a, b } = await two()
    const [ka, kb] = [knowledgeOf(a), knowledgeOf(b)]
    await ka.put('one.md', '# One\n\nrosemary grows')
    expect(await kb.found('rosemary')).toEqual(['one.md'])
    await kb.put('one.md', '# One\n\nthyme grows')
    expect(await ka.found('rosemary')).toEqual([])
    expect(await ka.found('thyme')).toEqual(['one.md'])
    await ka.remove('one.md')
    expect(await kb.found('thyme')).toEqual([])
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => [ka, kb][i % 2]!.put('race.md', `# Race\n\nword${i} herbs`)),
    )
    const [byA, byB] = await Promise.all(
      [ka, kb].map(k => Promise.all(Array.from({ length: 30 }, (_, i) => k.found(`word${i}`)))),
    )
    expect(byA!.flat()).toEqual(['race.md'])
    expect(byB).toEqual(byA)
  })

  test('an instance that is frozen in the middle of its writes and goes on later loses and doubles nothing', async () => {
    const { a, b, byA, byB } = await two()
    const names = Array.from({ length: 60 }, (_, i) => `frozen/${i}`)
    const written = Promise.all(
      names.map(async (name, i) => {
        await sleep(i * 20)
        return byA.put(name, Buffer.from(`by a ${name}`)).then(
          () => 'a',
          thrown => thrown,
        )
      }),
    )
    const record = (on: Instance, text: string) => (i: number) =>
      createdAt(callsTo([on], 'task'), `q/ann/2/r${i}.1`, text)
    const forty = Array.from({ length: 40 }, (_, i) => i)
    const created = Promise.all(forty.map(async i => sleep(i * 30).then(() => record(a, 'by a')(i))))
    await sleep(400)
    a.freeze()
    const others = await Promise.allSettled(names.map(name => byB.put(name, Buffer.from(`by b ${name}`))))
    const also = await Promise.all(forty.map(record(b, 'by b')))
    a.thaw()
    const [mine, made] = [await written, await created]
    for (const [i, name] of names.entries()) {
      const wonA = mine[i] === 'a'
      const wonB = others[i]!.status === 'fulfilled'
      expect([wonA, wonB], `${name}: ${mine[i]}, ${reasonOf(others[i])}`).toContain(true)
      expect(wonA && wonB, name).toBe(false)
      expect(String(await byB.get(name))).toBe(`by ${wonA ? 'a' : 'b'} ${name}`)
    }
    for (const i of forty) {
      expect([made[i], also[i]].toSorted()).toEqual([201, 412])
      expect(await recordAt(callsTo([b], 'task'), `q/ann/2/r${i}.1`)).toBe(made[i] === 201 ? 'by a' : 'by b')
    }
    expect(new Set(mine)).not.toEqual(new Set(['a']))
  })

  test('what was acknowledged while gateways die, freeze and come back is there, unaltered', async () => {
    const { a, b, objects } = await two()
    const acknowledged = new Map<string, string>()
    const failed: unknown[] = []
    const stop = new AbortController()
    const writer = async (of: number) => {
      const through = objects(of % 2 ? [a, b] : [b, a])
      for (let i = 0; !stop.signal.aborted; i++) {
        const [name, bytes] = [`w${of}/${i}`, randomBytes(of === 0 ? 6 * MIB : 2_000)]
        await through.put(name, bytes, {}, 60_000).then(
          () => acknowledged.set(name, digest(bytes)),
          thrown => failed.push(thrown),
        )
      }
    }
    const writers = Promise.all([0, 1, 2, 3].map(writer))
    await sleep(2_000)
    await ceph.kill('a')
    await sleep(5_000)
    await ceph.start('a')
    await sleep(2_000)
    await ceph.freeze('b', true)
    await sleep(8_000)
    await ceph.freeze('b', false)
    await sleep(2_000)
    stop.abort()
    await writers
    expect(failed).toEqual([])
    expect(acknowledged.size).toBeGreaterThan(50)
    const through = objects([b])
    for (const [name, sha256] of acknowledged) expect(digest(await through.get(name)), name).toBe(sha256)
  })

  test('while no gateway answers a write ends with an error, status says why, and both pass by themselves', async () => {
    const { a, byA } = await two()
    await byA.put('before', Buffer.from('x'))
    await Promise.all([ceph.kill('a'), ceph.kill('b')])
    const began = performance.now()
    await expect(byA.put('during', Buffer.from('x'), {}, 8_000)).rejects.toMatchObject({
      status: expect.toSatisfy((s: number) => s === 503 || s === 504),
    })
    expect(performance.now() - began).toBeLessThan(12_000)
    await vi.waitFor(async () => expect(await a.notes()).toEqual([expect.stringMatching(/^The store /)]), {
      timeout: 60_000,
      interval: 1000,
    })
    await Promise.all([ceph.start('a'), ceph.start('b')])
    await vi.waitFor(async () => expect(await a.notes()).toEqual([]), { timeout: 60_000, interval: 1000 })
    expect(String(await byA.get('before'))).toBe('x')
    await byA.put('after', Buffer.from('x'))
  })

  test('an object of 400 MiB passes through both ways, digests compared, in memory that does not grow with it', async () => {
    const { a } = await two()
    const calls = callsTo([a], 'gateway')
    const piece = randomBytes(MIB)
    const hash = createHash('sha256')
    const upload = Readable.from(
      (function* () {
        for (let i = 0; i < 400; i++) {
          hash.update(piece)
          yield piece
        }
      })(),
    )
    const info = await calls.call(putObject, hopOf('ann', 240_000), {
      params: { '*': 'large' },
      query: {},
      upload,
    })
    const sha256 = hash.digest('hex')
    expect(info).toMatchObject({ bytes: 400 * MIB, sha256 })
    const reply = await calls.raw(getObject, hopOf('ann', 240_000), { params: { '*': 'large' }, query: {} })
    const back = createHash('sha256')
    for await (const part of reply.body) back.update(part as Buffer)
    expect(back.digest('hex')).toBe(sha256)
    expect(peakMib(a.pid)).toBeLessThan(330)
  })

  test('an embedded store is moved here whole, and a service goes on with it', async () => {
    const { objects, store, file } = await site()
    const embedded = { embedded: join(tempFolder(), 'store') }
    const before = await startInstance(file, { store: embedded })
    const contents = [0, 1, 20 * MIB].map(n => randomBytes(n))
    for (const [i, bytes] of contents.entries()) await objects([before]).put(`${i}`, bytes)
    await knowledgeOf(before).put('one.md', '# One\n\nrosemary grows')
    await before.kill()
    const signal = AbortSignal.timeout(120_000)
    await migrate({ from: embedded.embedded, to: store, log: silent, signal, say: () => {} })
    const after = await startInstance(file, { store })
    for (const [i, bytes] of contents.entries())
      expect(digest(await objects([after]).get(`${i}`))).toBe(digest(bytes))
    expect(await knowledgeOf(after).found('rosemary')).toEqual(['one.md'])
    await expect(startInstance(file, { store: embedded })).rejects.toThrow('was moved into Ceph')
  })
})

const reasonOf = (end: PromiseSettledResult<unknown> | undefined) =>
  end?.status === 'rejected' ? String(end.reason) : end?.status
