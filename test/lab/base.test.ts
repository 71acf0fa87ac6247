import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rulesOf } from '../../src/provision/components/base/firewall/rules.ts'
import { trial } from '../../src/provision/components/base/firewall/trial.ts'
import { Site } from './base/site.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'

storiesOfTheLab()

let lab: Lab
let site: Site

beforeAll(async () => {
  if (lacks) return
  lab = await openLab({
    name: 'base',
    flavour: 'bare',
    nodes: ['new', { name: 'old', suite: 'bookworm' }, 'walled'],
  })
  site = new Site(lab)
  await lab
    .node('walled')
    .run('apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install ufw')
  await lab.node('walled').run('ufw allow 22/tcp && ufw --force enable')
})
afterAll(async () => {
  await site?.close()
  await lab?.close()
})

const says = (steps: { node: string; says: string }[], node = 'new') =>
  steps.filter(step => step.node === node).map(step => step.says)

test('bare nodes know each other by name, and what others wrote in /etc/hosts stays', async () => {
  const before = await lab.node('old').run('cat /etc/hosts')
  const { failed, found, did } = await site.up()
  expect(failed).toEqual([])
  expect(says(did, 'old')).toEqual(['add our lines to /etc/hosts: names of 3 nodes'])
  for (const node of lab.nodes)
    for (const to of lab.nodes)
      expect(await node.run(`getent ahostsv4 ${to.name}.lab.internal | cut -d' ' -f1 | sort -u`)).toBe(
        `${to.address}\n`,
      )
  expect(await lab.node('old').run('cat /etc/hosts')).toMatch(
    new RegExp(`^${before}# begin llmagentos base\n`),
  )
  expect(found.filter(f => f.level === 'bad')).toEqual([])
  expect(found.filter(f => f.level === 'unknown').every(f => f.says.includes('clock'))).toBe(true)
  expect(await site.plan()).toEqual([])
})

test('lines edited by hand are put back, also where a mark is gone', async () => {
  const node = lab.node('new')
  const whole = await node.run('cat /etc/hosts')
  await node.run('sed -i "s/ old$/ older/" /etc/hosts')
  expect(says(await site.plan())).toEqual([
    'put back our lines in /etc/hosts: edited by hand (names of 3 nodes)',
  ])
  await site.up()
  expect(await node.run('cat /etc/hosts')).toBe(whole)
  await node.run('sed -i "/^# end llmagentos/d" /etc/hosts && echo "192.0.2.1 foreign" >>/etc/hosts')
  await site.up()
  const repaired = await node.run('cat /etc/hosts')
  expect(repaired.trim().split('\n').at(-1)).toBe('192.0.2.1 foreign')
  expect(repaired.match(/llmagentos/g)).toHaveLength(2)
  await node.run('sed -i /foreign/d /etc/hosts')
  expect(await node.run('cat /etc/hosts')).toBe(whole)
  expect(await site.plan()).toEqual([])
})

const PORTS = {
  settings: 'gateway: {from: [192.0.2.0/24]}',
  ports: [
    { port: 5672, protocol: 'tcp', from: 'nodes' },
    { port: 7420, protocol: 'tcp', from: 'public' },
    { port: 9464, protocol: 'tcp', from: 'loopback' },
  ],
} as const satisfies Parameters<Site['up']>[0]

test('ports of ours are open to those that they are for, and a foreign one to all', async () => {
  for (const node of lab.nodes) await listen(node, [5672, 7420, 9464, 8088])
  const { failed, did, found } = await site.up(PORTS)
  expect(failed).toEqual([])
  expect(says(did, 'old')).toEqual([
    'write /etc/needrestart/conf.d/llmagentos-base.conf: needrestart leaves these units alone',
    'install nftables: the firewall',
    'try new firewall rules for 60 s: who may reach our ports',
    'confirm the firewall rules: this machine can still be reached',
    'write /etc/llmagentos/firewall.nft: who may reach our ports',
    'write /etc/systemd/system/llmagentos-firewall.service: loads the firewall at boot',
    'start llmagentos-firewall.service: loads the firewall at boot',
  ])
  expect(found.filter(f => f.level === 'bad')).toEqual([])
  await expectFiltered()
  expect(await site.plan(PORTS)).toEqual([])
})

test('ufw lets in those for whom a port is, beside what it let in before', async () => {
  const status = await lab.node('walled').run('ufw status')
  expect(status).toMatch(/^22\/tcp +ALLOW +Anywhere/m)
  for (const { address } of lab.nodes)
    expect(status).toMatch(new RegExp(`^5672/tcp +ALLOW +${address} +# llmagentos`, 'm'))
  expect(status).toMatch(/^7420\/tcp +ALLOW +192.0.2.0\/24 /m)
  expect(status).not.toContain('9464')
  await lab.node('walled').run(`ufw delete allow proto tcp from ${lab.node('new').address} to any port 5672`)
  expect(says(await site.plan(PORTS), 'walled')).toEqual([
    `put back tcp 5672 from ${lab.node('new').address} in ufw: the story`,
  ])
  await site.up(PORTS)
  expect(await site.plan(PORTS)).toEqual([])
})

test('the firewall stands again after a reboot', async () => {
  await Promise.all(lab.nodes.map(node => node.reboot()))
  await expectFiltered()
  expect(await site.plan(PORTS)).toEqual([])
})

test('a rule added by hand to our table goes, and a flush of all tables is made good', async () => {
  const node = lab.node('new')
  await node.run('nft insert rule inet llmagentos input tcp dport 5672 accept')
  expect(says(await site.plan(PORTS))[0]).toContain('they were changed by hand')
  await site.up(PORTS)
  expect(await reaches(node.address, 5672)).toBe(false)
  await node.run('nft flush ruleset')
  expect(await reaches(node.address, 5672)).toBe(true)
  await site.up(PORTS)
  await expectFiltered()
  await node.run('systemctl start nftables && systemctl reload nftables')
  await expect.poll(() => reaches(node.address, 5672), { timeout: 10_000 }).toBe(false)
  expect(await site.plan(PORTS)).toEqual([])
})

test('rules that would cut us off take themselves back', async () => {
  const node = lab.node('old')
  const table = await node.run('nft -s list table inet llmagentos')
  const rules = rulesOf({ mode: 'strict', ports: [], nodes: [], from: [], allow: [], ssh: [] })
  const { failed, done } = await site.apply(trial('old', rules, { says: 'without SSH', seconds: 15 }))
  expect(done.length).toBeLessThan(2)
  expect(failed).toHaveLength(1)
  await expect.poll(() => reaches(node.address, 22), { timeout: 60_000 }).toBe(true)
  await expect.poll(() => node.run('nft -s list table inet llmagentos')).toBe(table)
  expect(await site.plan(PORTS)).toEqual([])
})

test('a trial that nobody confirms ends by itself', async () => {
  const node = lab.node('old')
  const table = await node.run('nft -s list table inet llmagentos')
  const rules = rulesOf({ mode: 'strict', ports: [], nodes: [], from: [], allow: [], ssh: [22] })
  const [loading] = trial('old', rules, { says: 'and then the CLI is gone', seconds: 5 })
  expect(await site.apply([loading!])).toMatchObject({ failed: [], done: [loading] })
  expect(await node.run('nft -s list table inet llmagentos')).not.toBe(table)
  await expect.poll(() => node.run('nft -s list table inet llmagentos'), { timeout: 30_000 }).toBe(table)
  expect(await site.plan(PORTS)).toEqual([])
})

test('strict drops all but ssh, ours, ping and what is allowed', async () => {
  const strict = {
    ...PORTS,
    settings: `${PORTS.settings}\nfirewall: {mode: strict, allow: [{from: ${outside()}/32, tcp: [9100]}]}`,
  }
  await listen(lab.node('new'), [9100])
  const { failed } = await site.up({ ...strict, only: ['new'] })
  expect(failed).toEqual([])
  const { address } = lab.node('new')
  const open = async (port: number) => [port, await reaches(address, port)]
  expect(await Promise.all([22, 8088, 9100, 5672].map(open))).toEqual([
    [22, true],
    [8088, false],
    [9100, true],
    [5672, false],
  ])
  await lab.node('old').run(`ping -c 1 -W 5 ${address}`)
  await lab.node('new').run(`timeout 5 bash -c ': </dev/tcp/${lab.node('old').address}/22'`)
  expect(await site.plan({ ...strict, only: ['new'] })).toEqual([])
})

test('mode check takes our rules away, changes nothing more, and says what is open', async () => {
  const check = { ...PORTS, settings: `${PORTS.settings}\nfirewall: {mode: check}` }
  const { failed, found } = await site.up(check)
  expect(failed).toEqual([])
  const { address } = lab.node('new')
  expect(await reaches(address, 5672)).toBe(true)
  expect(found.find(f => f.node === 'new' && f.says.includes('5672'))).toMatchObject({ level: 'warn' })
  for (const node of lab.nodes) {
    expect(await node.run('! command -v nft >/dev/null || nft list tables')).not.toContain('llmagentos')
    expect(await node.run('ls /etc/systemd/system /etc/llmagentos')).not.toContain('firewall')
  }
  expect(await lab.node('walled').run('ufw status')).not.toContain('llmagentos')
  expect(await site.plan(check)).toEqual([])
})

async function expectFiltered() {
  const [from, ...others] = lab.nodes as [LabNode, ...LabNode[]]
  for (const { address, name } of others) {
    const call = (port: number) => `timeout 3 bash -c 'cat </dev/tcp/${address}/${port}' || echo none`
    expect([name, await from.run(call(5672))]).toEqual([name, '5672\n'])
    expect([name, await from.run(call(7420))]).toEqual([name, 'none\n'])
  }
  for (const { address, name } of lab.nodes) {
    const open = await Promise.all([22, 5672, 7420, 9464, 8088].map(port => reaches(address, port)))
    // ufw drops what it does not know, the foreign listener too.
    expect([name, open]).toEqual([name, [true, false, false, false, name !== 'walled']])
    const here = await lab.node(name).run('for p in 5672 7420 9464; do cat </dev/tcp/127.0.0.1/$p; done')
    expect(here).toBe('5672\n7420\n9464\n')
  }
}

/** Listeners that say their port, there again after a reboot. */
async function listen(node: LabNode, ports: number[]) {
  const units = ports.map(
    port => `printf '[Socket]\\nListenStream=0.0.0.0:${port}\\nAccept=yes\\n[Install]\\nWantedBy=sockets.target\\n' >/etc/systemd/system/l${port}.socket
printf '[Service]\\nExecStart=/bin/echo ${port}\\nStandardOutput=socket\\n' >/etc/systemd/system/l${port}@.service
systemctl daemon-reload; systemctl --quiet enable --now l${port}.socket`,
  )
  await node.run(units.join('\n'))
}

/** From this machine, which is outside of the cluster. */
async function reaches(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, noDelay: true })
  const timer = setTimeout(() => socket.destroy(new Error('no answer')), 2_000)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** This machine's address on the lab's bridge. */
const outside = () => lab.nodes[0]!.address.replace(/\.\d+$/, '.1')
