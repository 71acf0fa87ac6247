import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { lacks, storiesOfTheLab } from './here.ts'
import { SUITES } from './lab.ts'
import { type Ran, SecretsBench } from './secrets/bench.ts'

storiesOfTheLab()

const MINUTES = 60_000
const CRT = '/etc/llmagentos/tls/story.crt'
const CA = '/etc/llmagentos/ca.crt'

describe.each(SUITES)('certificates of the cluster on %s', suite => {
  let bench: SecretsBench

  beforeAll(async () => {
    if (!lacks) bench = await SecretsBench.open({ name: `certs-${suite}`, suite, nodes: 2 })
  }, 10 * MINUTES)
  afterAll(() => bench?.close(), 2 * MINUTES)
  beforeEach(async () => {
    if (!lacks) await bench.clean()
  })

  const story = (o: { alsoDns?: string[]; life?: string } = {}) => ({
    story: { secrets: [], certificates: { alsoDns: o.alsoDns ?? [] } },
    ...(o.life && {
      file: bench.file({
        more: `recovery: none\ncomponents: {secrets: {certificates: {life: ${o.life}}}}\n`,
      }),
      replaceApplied: 1,
    }),
  })
  const done = (ran: Ran) => {
    expect(ran, ran.text).toMatchObject({ code: 0 })
    return ran.did
  }
  const shown = (node: string, what: string, file = CRT) =>
    bench.lab.node(node).run(`openssl x509 -in ${file} -noout ${what}`)
  const serials = () => bench.each(node => shown(node.name, '-serial'))

  test('keys are born on their nodes, and what is signed for them holds', async () => {
    done(await bench.run(story()))
    await bench.each(async ({ name, address, run }) => {
      expect(await run(`openssl verify -CAfile ${CA} -purpose sslserver ${CRT}`)).toContain('OK')
      expect(await run(`openssl verify -CAfile ${CA} -purpose sslclient ${CRT}`)).toContain('OK')
      const names = await shown(name, '-ext subjectAltName')
      for (const part of [
        'URI:spiffe://halle/story',
        `DNS:${name}`,
        `DNS:${name}.halle.internal`,
        `IP Address:${address}`,
      ])
        expect(names).toContain(part)
      expect(await run('stat -c "%a %U:%G" /etc/llmagentos/tls/story.key')).toBe('600 story:story\n')
      expect(await run('systemctl is-active story-tls.service')).toBe('active\n')
      const ofKey = await run('openssl pkey -in /etc/llmagentos/tls/story.key -pubout')
      expect(await shown(name, '-pubkey')).toBe(ofKey)
    })
    expect(new Set(await bench.each(node => node.run('cat /etc/llmagentos/tls/story.key'))).size).toBe(2)
    expect(new Set(await bench.each(node => node.run(`cat ${CA}`))).size).toBe(1)
    const before = await bench.each(node => node.files())
    expect(done(await bench.run(story()))).toEqual([])
    expect(await bench.each(node => node.files())).toEqual(before)
  })

  test('a name more: signed anew for the same key, and the unit behind it told, one node after the other', async () => {
    done(await bench.run(story()))
    const [old, key] = [await serials(), await shown('n1', '-pubkey')]
    const did = done(await bench.run(story({ alsoDns: ['ai.example.org'] })))
    const begun = did.filter(says => says.includes('its names are not those'))
    expect(begun.filter(says => says.includes('sign the certificate'))).toHaveLength(2)
    expect(begun.filter(says => says.includes(`write ${CRT}`))).toHaveLength(2)
    expect(await shown('n2', '-ext subjectAltName')).toContain('DNS:ai.example.org')
    expect(await shown('n1', '-pubkey')).toBe(key)
    const now = await serials()
    for (const [i, serial] of now.entries()) expect(serial).not.toBe(old[i])
    await bench.each(async node => {
      const told = await node.run('cut -c 1-64 /run/story-reloads')
      expect(told).toBe(await node.run(`sha256sum <${CRT} | cut -c 1-64`))
    })
    expect(done(await bench.run(story({ alsoDns: ['ai.example.org'] })))).toEqual([])
  })

  test('near its end it is renewed, and one that lives longer than is wanted now is replaced', async () => {
    done(await bench.run(story({ life: '4m' })))
    const ends = Date.parse((await shown('n1', '-enddate')).replace('notAfter=', ''))
    expect(ends - Date.now()).toBeLessThan(4.5 * MINUTES)
    expect(done(await bench.run(story({ life: '4m' })))).toEqual([])
    const old = await serials()
    const did = done(await bench.run(story({ life: '20m' })))
    expect(did.some(says => says.includes('sign the certificate of story on n2: it ends on'))).toBe(true)
    expect((await serials()).every((serial, i) => serial !== old[i])).toBe(true)
    expect(done(await bench.run({ ...story({ life: '4m' }), replaceApplied: 2 })).join()).toContain(
      'it lives longer than is wanted now',
    )
  })

  test('a damaged certificate, one of another CA, and a key that others could read are replaced', async () => {
    done(await bench.run(story()))
    const [n1, n2] = [bench.lab.node('n1'), bench.lab.node('n2')]
    const key = await shown('n2', '-pubkey')
    await n1.run(`echo >${CRT}`)
    await n2.run('chmod 644 /etc/llmagentos/tls/story.key')
    const did = done(await bench.run(story()))
    expect(did).toContain('n1: write /etc/llmagentos/tls/story.crt: there is none (for the story)')
    expect(await shown('n2', '-pubkey')).not.toBe(key)
    await n1.run(
      `cd /tmp && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -subj /CN=x -out ${CRT} 2>&1`,
    )
    expect(done(await bench.run(story())).join()).toContain("it is not from the cluster's CA of now")
    await bench.each(node => node.run(`openssl verify -CAfile ${CA} ${CRT}`))
    expect(done(await bench.run(story()))).toEqual([])
  })

  test('when the component leaves, its key and certificate leave with it, and the CA stays with the control nodes', async () => {
    done(await bench.run(story()))
    done(await bench.run({ story: { secrets: [] } }))
    expect(await bench.each(node => node.run('ls /etc/llmagentos/tls'))).toEqual(['', ''])
    expect(await bench.lab.node('n1').run('ls /var/lib/llmagentos/secrets')).toBe('ca-certificate\nca-key\n')
  })
})
