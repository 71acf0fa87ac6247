import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { askingAt } from './asking.ts'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'

storiesOfTheLab()

const MINUTES = 60_000
const UNIT = 'llmagentos-gateway.service'

/** A change that comes in the moment in which systemd begins to look again is seen by a timer of a minute, and files that do not fit are tried for 10 s. */
const LOOKED = 85_000

const OWN = '/etc/ssl/own'
/** As an earlier version left it. */
const EARLIER = `cd /etc/systemd/system
systemctl disable --now llmagentos-gateway.socket ${UNIT}
rm llmagentos-gateway.socket
sed -i '/gateway.socket/d' ${UNIT} /var/lib/llmagentos/manifest
sed -i '/"socket"/d' /etc/llmagentos/gateway.json
systemctl daemon-reload
systemctl enable --now ${UNIT}`

describe('the gateway of one machine', () => {
  let lab: Lab
  let n1: LabNode
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'gateway', nodes: 1 })
    n1 = lab.node('n1')
    ada = await operator(lab, wanted())
    await programsAtHand(ada.folder)
    await up()
  }, 15 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'refuses and loses no connection while it is started anew, again and again',
    async () => {
      const client = askingAt({ url: url(), folder: ada.folder, deadlineMs: 40_000 })
      const load = client.at({ perSecond: 20 })
      const pids = new Set<string>()
      for (let n = 0; n < 4; n++) {
        pids.add(await pid())
        await n1.run(`systemctl restart ${UNIT}`)
        await sleep(1_500)
      }
      pids.add(await pid())
      const answers = await load.stop()
      const slowestMs = Math.round(Math.max(...answers.map(({ ms }) => ms)))
      process.stdout.write(`asked: ${answers.length}, slowest: ${slowestMs} ms\n`)
      expect(pids.size).toBe(5)
      expect(answers.length).toBeGreaterThan(100)
      expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    },
    3 * MINUTES,
  )

  test(
    'comes to its socket where it listened by itself before',
    async () => {
      await n1.run(EARLIER)
      expect(await n1.run(`ss -Hltnp 'sport = :7420'`)).not.toContain('systemd')
      await up()
      expect(await n1.run(`ss -Hltnp 'sport = :7420'`)).toContain('systemd')
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    },
    4 * MINUTES,
  )

  test(
    'shows a certificate of its own, and the next one as soon as its files were replaced, without a restart',
    async () => {
      await make('one')
      await n1.run(`mkdir -p ${OWN} && cd ${OWN} && cp /root/one.crt c.pem && cp /root/one.key k.pem`)
      ada.write(wanted(`gateway: {tls: {certificate: ${OWN}/c.pem, key: ${OWN}/k.pem}}\n`))
      await up()
      expect(await shown()).toContain('CN = one.example')
      expect(await n1.run('stat -Lc "%a %U" /run/llmagentos-gateway-tls/key.pem')).toBe(
        '400 llmagentos-gateway\n',
      )
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
      const before = await pid()
      await make('two')
      // Key and certificate are two files, and somebody may take a while between them.
      await n1.run(`cp /root/two.key ${OWN}/k.pem && sleep 2 && cp /root/two.crt ${OWN}/c.pem`)
      await shows('two')
      await make('three')
      await n1.run(
        `cd ${OWN} && cp /root/three.* . && ln -s three.crt c.new && mv -fT c.new c.pem && ln -s three.key k.new && mv -fT k.new k.pem`,
      )
      await shows('three')
      expect(await pid()).toBe(before)
    },
    6 * MINUTES,
  )

  test(
    'keeps the certificate that it has while the files do not fit together, and says so',
    async () => {
      await make('four')
      // systemd starts a unit five times within ten seconds, unless it is told otherwise.
      await n1.run(`for i in $(seq 12); do touch ${OWN}/other$i; sleep 0.3; done`)
      await n1.run(`cp --remove-destination /root/four.key ${OWN}/k.pem`)
      await vi.waitFor(
        async () =>
          expect(await n1.run('journalctl -o cat -u llmagentos-gateway-tls.service')).toContain(
            'the key is not the one of the certificate',
          ),
        { timeout: LOOKED, interval: 1_000 },
      )
      expect(await shown()).toContain('CN = three.example')
    },
    2 * MINUTES,
  )

  test(
    'goes back to one of the cluster, and with the cluster its socket goes too',
    async () => {
      ada.write(wanted())
      await up()
      expect(await shown()).not.toContain('example')
      expect((await n1.ssh(['systemctl', 'cat', 'llmagentos-gateway-tls.path'])).code).not.toBe(0)
      expect((await n1.ssh(['test', '-e', '/run/llmagentos-gateway-tls'])).code).toBe(1)
      const down = await ada.cli('cluster', 'down', '--confirm', 'lab')
      expect(down, down.stdout + down.stderr).toMatchObject({ code: 0 })
      expect(await n1.run('systemctl list-units --all --plain --no-legend "llmagentos-gateway*"')).toBe('')
      expect(await n1.run("ss -Hltn 'sport = :7420'")).toBe('')
    },
    6 * MINUTES,
  )

  const wanted = (more = '') => clusterYaml(lab, { more: `${more}components:\n  runtime: {}\n` })
  const url = () => `https://${n1.address}:7420`
  const up = async () => {
    const ran = await ada.cli('cluster', 'up', '--yes')
    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 0 })
  }
  const pid = async () => (await n1.run(`systemctl show --property=MainPID --value ${UNIT}`)).trim()
  const make = (name: string) =>
    n1.run(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name}.example -keyout /root/${name}.key -out /root/${name}.crt 2>/dev/null`,
    )
  const shown = () =>
    n1.run(
      'openssl s_client -connect 127.0.0.1:7420 </dev/null 2>/dev/null | openssl x509 -noout -subject -nameopt space_eq',
    )
  const shows = (name: string) =>
    vi.waitFor(async () => expect(await shown()).toContain(`CN = ${name}.example`), {
      timeout: LOOKED,
      interval: 250,
    })
})
