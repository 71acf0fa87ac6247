import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { EXIT } from '../../src/errors.ts'
import { runCli } from '../helpers/cli.ts'
import { tempFolder } from '../helpers/temp.ts'
import { storiesOfWays } from './check/ways.ts'
import { checkIn, type FileOptions, reportOf, writeCluster } from './check-file.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('cluster check on nodes of %s', suite => {
  let lab: Lab
  let folder: string
  let undo: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: `check-${suite}`, suite, nodes: 3 })
    // Debian's installer lets a node's own name mean 127.0.1.1; that is a story of its own.
    await Promise.all(
      lab.nodes.map(node => node.run(`sed -i 's/^127.0.1.1.*/${node.address} ${node.name}/' /etc/hosts`)),
    )
  })
  afterAll(async () => lab?.close())
  beforeEach(() => {
    folder = tempFolder()
    undo = []
  })
  afterEach(async () => {
    for (const back of undo.reverse()) await back()
  })

  const wrong = async (node: LabNode, line: string, back: string) => {
    undo.push(() => node.run(back))
    await node.run(line)
  }

  const write = (o: FileOptions = {}) => writeCluster(lab, folder, o)
  const found = () => checkIn(folder, '--json').then(reportOf)

  test('machines that are as they should be are fine', async () => {
    write()
    const { code, report, notFine } = await found()
    expect(notFine).toEqual([])
    expect(code).toBe(EXIT.ok)
    expect(report.nodes).toHaveLength(3)
    expect(new Set(report.findings.map(f => f.check)).size).toBeGreaterThan(10)
    const text = await checkIn(folder)
    expect(text.stdout).toMatch(/^3 nodes of halle: (all are fine|1 warning)\.$/m)
    expect(text.code).toBe(EXIT.ok)
  })

  test('a check writes nothing', async () => {
    write()
    const before = await Promise.all(lab.nodes.map(node => node.files()))
    await checkIn(folder)
    expect(await Promise.all(lab.nodes.map(node => node.files()))).toEqual(before)
    expect(await lab.node('n1').run('ls -A /tmp /var/lib | grep -e check -e ^tmp. || true')).toBe('')
  })

  test('a node without power, and what is wrong with the others, are told together', async () => {
    await wrong(
      lab.node('n1'),
      'sed -i "s/^.* n1$/127.0.1.1 n1/" /etc/hosts',
      `sed -i "s/^.* n1$/${lab.node('n1').address} n1/" /etc/hosts`,
    )
    undo.push(() => lab.node('n3').start())
    await lab.node('n3').kill()
    write()
    const { code, notFine } = await found()
    expect(code).toBe(EXIT.unreachable)
    expect(notFine).toEqual([
      ['bad', 'n3', 'connection'],
      ['warn', 'n1', 'names'],
    ])
  })

  test('a node that shows another host key than the file says is refused', async () => {
    write({
      nodes: lab.nodes.map(
        ({ name, address }, i) =>
          `{name: ${name}, address: ${address}, roles: [${i ? 'worker' : 'control'}]${i === 1 ? ', ssh: {hostKey: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}' : ''}}`,
      ),
    })
    const { code, notFine } = await found()
    expect(code).toBe(EXIT.unreachable)
    expect(notFine).toEqual([['bad', 'n2', 'connection']])
  })

  test('a copied machine id, another MTU, a full disk and a mirror that is down are found', async () => {
    const [n1, n2, n3] = lab.nodes as [LabNode, LabNode, LabNode]
    const id = (await n1.run('cat /etc/machine-id')).trim()
    await wrong(
      n2,
      `cp /etc/machine-id /etc/machine-id.own && echo ${id} >/etc/machine-id`,
      'mv /etc/machine-id.own /etc/machine-id',
    )
    await wrong(n3, 'ip link set host0 mtu 1400', 'ip link set host0 mtu 1500')
    await wrong(n2, 'mount -t tmpfs -o size=20M none /opt && head -c 19M /dev/zero >/opt/full', 'umount /opt')
    await wrong(n1, 'touch /run/reboot-required', 'rm /run/reboot-required')
    const gateway = n1.address.replace(/\d+$/, '1')
    write({ more: `site: {apt: {mirror: "http://${gateway}:9/debian"}}` })
    const { code, notFine, report } = await found()
    expect(code).toBe(EXIT.preflight)
    expect(notFine).toEqual([
      ['bad', 'n1', 'clones'],
      ['bad', 'n2', 'clones'],
      ['warn', 'n3', 'network'],
      ['bad', 'n2', 'space'],
      ['warn', 'n1', 'reboot'],
      ['bad', 'n1', 'mtu'],
      ['bad', 'n2', 'mtu'],
      ['bad', 'n1', 'archives'],
      ['bad', 'n2', 'archives'],
      ['bad', 'n3', 'archives'],
    ])
    const of = (check: string) => report.findings.filter(f => f.check === check && f.level !== 'ok')
    expect(of('space')[0]?.says).toMatch(/^\/opt, .* is full: \d.* of 20 MiB are free\.$/)
    expect(of('archives')[0]?.says).toContain('Connection refused')
    expect(of('network')[0]?.says).toContain('host0 has an MTU of 1400')
    for (const { says } of of('mtu'))
      expect(says).toBe(`Packets of 1500 bytes do not get through to n3 (${n3.address}), and small ones do.`)
  })

  test('a name that DNS does not know, and more memory than is there, are found, and `up` begins nothing', async () => {
    const [n1, n2, n3] = lab.nodes as [LabNode, LabNode, LabNode]
    const node = (of: LabNode, more: string) => `{name: ${of.name}, address: ${of.address}, ${more}}`
    const all = [
      node(n1, 'roles: [control], memory: {reserve: 900GiB}'),
      node(n2, 'roles: [worker]'),
      node(n3, 'roles: [worker]'),
    ]
    write({ nodes: all, more: 'site: {apt: {mirror: "http://no-such-mirror.example.invalid/debian"}}' })
    const { code, notFine, report } = await found()
    expect(code).toBe(EXIT.preflight)
    expect(notFine).toEqual([
      ['bad', 'n1', 'memory'],
      ['bad', 'n1', 'archives'],
      ['bad', 'n2', 'archives'],
      ['bad', 'n3', 'archives'],
    ])
    const of = (check: string) => report.findings.filter(f => f.check === check && f.level !== 'ok')
    expect(of('memory')[0]?.says).toMatch(/and 900 GiB are kept free, of .* GiB \(\d+ %\)\.$/)
    for (const { says, fix } of of('archives')) {
      expect(says).toMatch(/resolv/)
      expect(fix).toContain('Mend DNS there')
    }
    const before = await Promise.all(lab.nodes.map(one => one.files()))
    const up = await runCli(['cluster', 'up', '--yes'], { folder, env: { SSH_AUTH_SOCK: '' } })
    expect(up).toMatchObject({
      code: EXIT.preflight,
      stderr: expect.stringContaining('The machines are not ready, and nothing was changed.'),
    })
    expect(up.stderr).toContain('n1: The cluster may use')
    expect(await Promise.all(lab.nodes.map(one => one.files()))).toEqual(before)
  })

  test('dpkg that was interrupted, and who holds the lock of apt', async () => {
    const n2 = lab.node('n2')
    await wrong(
      n2,
      'cp /var/lib/dpkg/status /root/status && sed -i "/^Package: sudo$/,/^Status:/s/ok installed/ok unpacked/" /var/lib/dpkg/status',
      'cp /root/status /var/lib/dpkg/status',
    )
    const lock =
      'use Fcntl; open($f, "+>", "/var/lib/dpkg/lock-frontend"); $l = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die; open($g, ">", "/run/held"); sleep 600'
    await wrong(
      lab.node('n3'),
      `systemd-run -q --unit=slow-upgrade perl -e '${lock}'; timeout 20 sh -c 'until [ -e /run/held ]; do sleep 0.1; done'`,
      'systemctl stop slow-upgrade; rm /run/held',
    )
    write()
    const { code, notFine, report } = await found()
    expect(code).toBe(EXIT.preflight)
    expect(notFine).toEqual([
      ['bad', 'n2', 'packages'],
      ['warn', 'n3', 'packages'],
    ])
    const says = report.findings.filter(f => f.level !== 'ok').map(f => f.says)
    expect(says[0]).toBe('dpkg was interrupted: sudo.')
    expect(says[1]).toMatch(/^The locks of apt are held by .*perl -e .* \(process \d+\)\.$/)
  })

  test('--fix lets dpkg finish, and does nothing where there is nothing', async () => {
    const n2 = lab.node('n2')
    await n2.run('sed -i "/^Package: sudo$/,/^Status:/s/ok installed/ok unpacked/" /var/lib/dpkg/status')
    write()
    const unasked = await checkIn(folder, '--fix')
    expect(unasked).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining('nobody to ask') })
    const fixed = await checkIn(folder, '--fix', '--yes', '--json')
    expect(fixed.stderr).toContain('n2: finish what dpkg was interrupted in: sudo')
    expect(reportOf(fixed)).toMatchObject({ code: EXIT.ok, notFine: [] })
    expect(await n2.run('dpkg --audit')).toBe('')
    expect((await checkIn(folder, '--fix', '--yes')).stderr).toContain('nothing that --fix')
  })

  test('somebody who may not become root is told what to do', async () => {
    const n1 = lab.node('n1')
    await wrong(
      n1,
      'useradd -m plain && cp -r /home/ops/.ssh /home/plain/ && chown -R plain: /home/plain/.ssh',
      'userdel -r plain',
    )
    write({ nodes: [`{name: n1, address: ${n1.address}, roles: [control], ssh: {user: plain}}`] })
    const { code, notFine, report } = await found()
    expect(code).toBe(EXIT.preflight)
    expect(notFine).toEqual([['bad', 'n1', 'connection']])
    expect(report.findings[0]?.says).toMatch(/sudo on n1/)
  })

  storiesOfWays({ lab: () => lab, folder: () => folder, wrong, write, found, after: back => undo.push(back) })

  test('disks of the file are blank, hold something, or are not there', async () => {
    const n2 = lab.node('n2')
    const [small, blank, used] = [await n2.addDisk('64M'), await n2.addDisk(), await n2.addDisk()]
    await wrong(n2, `mkswap ${used}`, `wipefs -a ${used}`)
    const [a, b, c] = [small, blank, used].map(path => path.replace('/dev/', 'virtio-lab-'))
    const disks = `[{id: ${a}}, {id: ${b}}, {id: ${c}}, {id: virtio-lab-vdq}]`
    write({
      nodes: [
        `{name: n1, address: ${lab.node('n1').address}, roles: [control]}`,
        `{name: n2, address: ${n2.address}, roles: [storage], disks: ${disks}}`,
      ],
    })
    const { code, report } = await found()
    expect(code).toBe(EXIT.preflight)
    expect(report.findings.filter(f => f.check === 'disks')).toMatchObject([
      { level: 'bad', says: expect.stringContaining('is not blank: it is smaller than 5 GiB') },
      { level: 'ok', says: `${b} is blank, 6 GiB.` },
      { level: 'bad', says: expect.stringContaining('is not blank: it holds swap') },
      {
        level: 'bad',
        says: 'There is no disk virtio-lab-vdq.',
        fix: 'There are only those that the file names already.',
      },
    ])
  })
})
