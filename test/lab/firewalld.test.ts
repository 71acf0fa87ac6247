import { afterAll, beforeAll, expect, test } from 'vitest'
import { Site } from './base/site.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'

storiesOfTheLab()

let lab: Lab
let site: Site

beforeAll(async () => {
  if (lacks) return
  lab = await openLab({
    name: 'firewalld',
    flavour: 'bare',
    nodes: ['n1', { name: 'n2', suite: 'bookworm' }],
  })
  site = new Site(lab)
  const install =
    'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install firewalld >/dev/null 2>&1'
  await Promise.all(lab.nodes.map(node => node.run(install, { deadlineMs: 300_000 })))
})
afterAll(async () => {
  await site?.close()
  await lab?.close()
})

const PORTS = { ports: [{ port: 5672, protocol: 'tcp', from: 'nodes' }] } as const satisfies Parameters<
  Site['up']
>[0]

test('firewalld lets in those for whom a port is, what was closed by hand is opened again, and it all leaves', async () => {
  const { failed, found } = await site.up(PORTS)
  expect(failed).toEqual([])
  expect(found.filter(f => f.level === 'bad')).toEqual([])
  for (const node of lab.nodes) {
    for (const scope of ['', '--permanent']) {
      const rules = await node.run(`firewall-cmd ${scope} --list-rich-rules`)
      for (const { address } of lab.nodes)
        expect(rules).toContain(`"${address}" port port="5672" protocol="tcp" accept`)
    }
  }
  expect(await site.plan(PORTS)).toEqual([])

  const [n1, n2] = [lab.node('n1'), lab.node('n2')]
  await n1.run('systemd-run -q --unit=listener systemd-socket-activate -l 5672 --accept --inetd echo here')
  const call = `timeout 10 bash -c 'cat </dev/tcp/${n1.address}/5672'`
  expect(await n2.run(`for i in 1 2 3 4 5; do ${call} && break; sleep 1; done`)).toBe('here\n')

  const rule = `rule family="ipv4" source address="${n2.address}" port port="5672" protocol="tcp" accept`
  await n1.run(`firewall-cmd -q --permanent --remove-rich-rule='${rule}' && firewall-cmd -q --reload`)
  expect((await site.plan(PORTS)).map(step => `${step.node}: ${step.says}`)).toEqual([
    `n1: put back tcp 5672 from ${n2.address} in firewalld: the story`,
  ])
  await site.up(PORTS)
  expect(await n2.run(call)).toBe('here\n')
  await n1.reboot()
  expect(await site.plan(PORTS)).toEqual([])

  expect(await site.up()).toMatchObject({ failed: [] })
  for (const node of lab.nodes)
    expect(await node.run('firewall-cmd --list-rich-rules; firewall-cmd --permanent --list-rich-rules')).toBe(
      '\n\n',
    )
  expect(await site.plan()).toEqual([])
})
