import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { lacks, storiesOfTheLab } from './here.ts'
import type { LabNode } from './lab.ts'
import { done, TendBench } from './tend/bench.ts'

storiesOfTheLab()

const MINUTES = 60_000
const LIFE_S = 90

describe('certificates that renew themselves', () => {
  let bench: TendBench
  let n1: LabNode
  let n3: LabNode

  beforeAll(async () => {
    if (lacks) return
    bench = await TendBench.open({ name: 'tend', life: `${LIFE_S}s` })
    n1 = bench.nodes[0]!
    n3 = bench.nodes[2]!
  }, 10 * MINUTES)
  afterAll(() => bench?.close(), 2 * MINUTES)

  const outcome = async (node: LabNode) => {
    const { code, stdout } = await bench.tend(node)
    return {
      code,
      certificates: JSON.parse(stdout).certificates as { name: string; did: string; why?: string }[],
    }
  }
  test(
    'all are renewed in time, units are told one node at a time, and the next `up` has nothing to do',
    async () => {
      expect(done(await bench.up())).toContain(
        'n1: start llmagentos-signer.service: the signer of certificates',
      )
      const before = await bench.each(node => bench.serials(node))
      const asked: string[] = []
      await vi.waitFor(
        async () => {
          asked.push(await bench.ask(n1, n3))
          const now = await bench.each(node => bench.serials(node))
          for (const [i, serials] of now.entries())
            for (const serial of serials.trim().split('\n')) expect(before[i]).not.toContain(serial)
        },
        { timeout: LIFE_S * 1000, interval: 1_000 },
      )
      expect(new Set(asked)).toEqual(new Set(['200']))
      expect(await n1.run('journalctl --quiet --unit=llmagentos-tend.service --output=cat')).toContain(
        'worker: renewed, valid until',
      )
      expect(
        (
          await bench.each(node =>
            node.run('journalctl --quiet --unit=llmagentos-signer.service --output=cat'),
          )
        ).join(),
      ).toMatch(/"node":"n2","name":"told".*"signed"/)
      const told = (await bench.each(node => node.run('cat /run/story-told'))).map(text =>
        text
          .trim()
          .split('\n')
          .map(line => Number(line.split(' ')[1])),
      )
      const spans = told.flatMap(times =>
        times.flatMap((at, i) => (i % 2 ? [] : [[at, times[i + 1]!] as const])),
      )
      expect(spans.length).toBeGreaterThanOrEqual(3)
      const ordered = spans.toSorted((a, b) => a[0] - b[0])
      for (const [i, [, end]] of ordered.slice(0, -1).entries()) expect(end).toBeLessThan(ordered[i + 1]![0])
      await bench.quiet(LIFE_S)
      expect(done(await bench.up())).toEqual([])
    },
    8 * MINUTES,
  )

  test('the signer may do little, and no other service reads the key of the CA', async () => {
    const said = await n1.run('systemd-analyze security --no-pager llmagentos-signer.service | tail -n 1')
    expect(Number(/(\d+\.\d+)/.exec(said)?.[1])).toBeLessThan(2.5)
    const denied = await n1.ssh([
      'setpriv',
      '--reuid=story',
      '--clear-groups',
      'sh',
      '-c',
      'cat /run/credentials/llmagentos-signer.service/ca-key /var/lib/llmagentos/secrets/ca-key',
    ])
    expect(denied.stdout).toBe('')
    expect(denied.stderr.match(/Permission denied/g)).toHaveLength(2)
  })

  test('nobody gets what is not its own: another name, another node’s name, or anything without a certificate', async () => {
    const post = (own: string, name: string) =>
      n3.run(
        `cd /etc/llmagentos/tls && curl -sS --cacert /etc/llmagentos/ca.crt ${own} -H 'content-type: application/x-pem-file' --data-binary @worker.csr https://${n1.address}:7430/v1/certificates/${name} 2>&1 || :`,
      )
    const worker = '--cert worker.crt --key worker.key'
    expect(await post(worker, 'worker')).toContain('BEGIN CERTIFICATE')
    expect(await post(worker, 'told')).toContain('This is no certificate of told on n3.')
    expect(await post(worker, 'gateway')).toContain('n3 has no certificate of the name gateway.')
    expect(await post('--cert told.crt --key told.key', 'told')).toContain('another key')
    expect(await post('', 'worker')).not.toContain('BEGIN CERTIFICATE')
    const names = await n3.run(
      `cd /etc/llmagentos/tls && openssl req -new -key worker.key -subj /CN=worker -addext subjectAltName=DNS:n1.halle.internal -out /tmp/w.csr && curl -sS --cacert /etc/llmagentos/ca.crt ${worker} -H 'content-type: application/x-pem-file' --data-binary @/tmp/w.csr https://${n1.address}:7430/v1/certificates/worker | openssl x509 -noout -ext subjectAltName`,
    )
    expect(names).toContain('DNS:n3.halle.internal')
    expect(names).not.toContain('n1')
  })

  test(
    'while no signer runs a node says so, and the next run works',
    async () => {
      await bench.timers('stop')
      await bench.signers('stop')
      await nearEnd(n3)
      const alone = await outcome(n3)
      expect(alone.code, JSON.stringify(alone)).toBe(4)
      expect(alone.certificates.find(({ name }) => name === 'worker')).toMatchObject({
        did: 'failed',
        why: expect.stringContaining('no control node answered: n1: '),
      })
      const words = await n3.ssh(['llmagentos', 'node', 'tend'])
      expect(words.stderr).toContain('could not be renewed.')
      await bench.nodes[1]!.run('systemctl start llmagentos-signer.service')
      const after = await outcome(n3)
      expect(
        after.certificates.find(({ name }) => name === 'worker'),
        JSON.stringify(after),
      ).toMatchObject({ did: 'renewed' })
      await bench.signers('start')
      for (const node of bench.nodes) expect(await outcome(node)).toMatchObject({ code: 0 })
    },
    5 * MINUTES,
  )

  test(
    'a node that is no member any more gets nothing, and what has ended waits for `up`',
    async () => {
      const program = `const f='/var/lib/llmagentos/identities.json',fs=require('node:fs'),c=JSON.parse(fs.readFileSync(f));delete c.members.n3;fs.writeFileSync(f,JSON.stringify(c))`
      await bench.each(node =>
        node.run(
          `/opt/llmagentos/node/bin/node -e "${program}" && systemctl restart llmagentos-signer.service`,
        ),
      )
      await bench.timers('start')
      await n3.run('systemctl stop llmagentos-tend.timer')
      await nearEnd(n3)
      const removed = await outcome(n3)
      expect(removed.code).toBe(5)
      expect(removed.certificates).toMatchObject(
        removed.certificates.map(() => ({
          did: 'failed',
          why: expect.stringContaining('n3.halle.internal is no member of halle.'),
        })),
      )
      await vi.waitFor(async () => expect(Math.max(...Object.values(await bench.left(n3)))).toBeLessThan(0), {
        timeout: LIFE_S * 1000,
        interval: 2_000,
      })
      const ended = await outcome(n3)
      expect(ended.code).toBe(5)
      for (const { why } of ended.certificates) expect(why).toContain('an ended one renews nothing')
      for (const left of [await bench.left(n1), await bench.left(bench.nodes[1]!)])
        expect(Math.min(...Object.values(left))).toBeGreaterThan(0)
      const did = done(await bench.up())
      expect(did).toContain(
        'n1: put back /var/lib/llmagentos/identities.json: edited by hand (which certificates the members have)',
      )
      expect(Math.min(...Object.values(await bench.left(n3)))).toBeGreaterThan(0)
      expect(await outcome(n3)).toMatchObject({ code: 0 })
      expect(await bench.ask(n1, n3)).toBe('200')
    },
    8 * MINUTES,
  )

  /** All certificates of a node are in their last third, and none has ended. */
  const nearEnd = async (node: LabNode) => {
    for (;;) {
      const left = Object.values(await bench.left(node))
      if (Math.max(...left) < LIFE_S / 3) {
        expect(Math.min(...left)).toBeGreaterThan(0)
        return
      }
      await sleep(500)
    }
  }
})
