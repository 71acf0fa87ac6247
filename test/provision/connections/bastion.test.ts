import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { failureOf } from './failure-of.ts'
import { Bench, story, targetOf } from './place.ts'
import type { Sshd } from './sshd.ts'

const bench = new Bench()
const quick = { deadlineMs: 20_000 }
const jump = (sshd: Sshd) => `${sshd.user}@127.0.0.1:${sshd.port}`

/** One known_hosts for several sshds, which all let in the key of the first. */
async function machines(count: number, options: string[] = []): Promise<{ all: Sshd[]; knownHosts: string }> {
  const all: Sshd[] = []
  for (let i = 0; i < count; i++) all.push(await bench.sshd({ options }))
  for (const sshd of all) sshd.letIn(all[0]!.key)
  const knownHosts = bench.file(`known-${all[0]!.port}`)
  writeFileSync(knownHosts, all.map(sshd => `[127.0.0.1]:${sshd.port} ${sshd.hostKey()}\n`).join(''))
  return { all, knownHosts }
}

story('a node behind a bastion is reached, over each client', async () => {
  const { all, knownHosts } = await machines(2)
  const [bastion, node] = all as [Sshd, Sshd]
  for (const client of ['ssh2', 'system'] as const) {
    const on = await bench
      .connections({ knownHosts })
      .to(targetOf(node, { identityFile: bastion.key, bastion: jump(bastion), client }))
    expect(await on.exec(['echo', 'there'], quick)).toMatchObject({ stdout: 'there\n' })
  }
  expect([bastion.count('logins'), node.count('logins')]).toEqual([2, 2])
  expect([bastion.count('commands'), node.count('commands')]).toEqual([0, 2])
})

story('several hops are gone one after the other, and each is verified', async () => {
  const { all, knownHosts } = await machines(3)
  const [first, second, node] = all as [Sshd, Sshd, Sshd]
  const target = targetOf(node, { identityFile: first.key, bastion: `${jump(first)},${jump(second)}` })
  const on = await bench.connections({ knownHosts }).to(target)
  expect(await on.exec(['echo', 'there'], quick)).toMatchObject({ stdout: 'there\n' })
  for (const stranger of all) {
    const others = all.filter(sshd => sshd !== stranger)
    const partly = bench.file(`without-${stranger.port}`)
    writeFileSync(partly, others.map(sshd => `[127.0.0.1]:${sshd.port} ${sshd.hostKey()}\n`).join(''))
    const before = all.map(sshd => sshd.count('commands'))
    const failure = await failureOf(
      (await bench.connections({ knownHosts: partly }).to(target)).exec(['id'], quick),
    )
    expect(failure).toMatchObject({ exit: EXIT.unreachable, message: expect.stringMatching(/is unknown/) })
    expect(all.map(sshd => sshd.count('commands'))).toEqual(before)
  }
})

story(
  'an unverified bastion is never logged in to by the system ssh either, whatever its options say',
  async () => {
    const { all } = await machines(2)
    const [bastion, node] = all as [Sshd, Sshd]
    const config = bench.file('lax.conf')
    writeFileSync(config, 'Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n')
    const target = targetOf(node, { identityFile: bastion.key, bastion: jump(bastion), client: 'system' })
    const connections = bench.connections({ config, knownHosts: node.knownHosts('only-node') })
    expect(await failureOf((await connections.to(target)).exec(['id'], quick))).toMatchObject({
      exit: EXIT.unreachable,
    })
    expect([bastion.count('logins'), node.count('connections')]).toEqual([0, 0])
  },
)

story(
  'many nodes share one connection to their bastion, and no more than eight handshakes at a time',
  async () => {
    // The ninth that has not logged in yet would be dropped.
    const { all, knownHosts } = await machines(2, ['MaxStartups 9:100:9'])
    const [bastion, node] = all as [Sshd, Sshd]
    const connections = bench.connections({ knownHosts })
    const nodes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        connections.to(targetOf(node, { node: `n${i}`, identityFile: bastion.key, bastion: jump(bastion) })),
      ),
    )
    const said = await Promise.all(nodes.map(on => on.exec(['echo', on.node], quick)))
    expect(said.map(({ stdout }) => stdout.trim())).toEqual(nodes.map(on => on.node))
    expect([bastion.count('logins'), node.count('logins')]).toEqual([1, 20])
    expect(node.log).not.toMatch(/drop connection/)
  },
)

story('ProxyJump of a configuration counts, and a circle is told', async () => {
  const { all, knownHosts } = await machines(2)
  const [bastion, node] = all as [Sshd, Sshd]
  const config = bench.file('jump.conf')
  writeFileSync(
    config,
    `Host inner\n  HostName 127.0.0.1\n  Port ${node.port}\n  ProxyJump outer\nHost outer\n  HostName 127.0.0.1\n  Port ${bastion.port}\nHost round\n  ProxyJump about\nHost about\n  ProxyJump round\nHost *\n  User ${node.user}\n  IdentityFile ${bastion.key}\n`,
  )
  const connections = bench.connections({ config, knownHosts })
  const on = await connections.to({ node: 'n1', host: 'inner' })
  expect(await on.exec(['echo', 'there'], quick)).toMatchObject({ stdout: 'there\n' })
  expect(bastion.count('logins')).toBe(1)
  const circle = await failureOf(connections.to({ node: 'n2', host: 'round' }))
  expect(circle).toMatchObject({ exit: EXIT.usage, message: expect.stringContaining('circle') })
})

story('the host key of a node behind a known bastion can be enrolled', async () => {
  const { all } = await machines(2)
  const [bastion, node] = all as [Sshd, Sshd]
  const connections = bench.connections({ knownHosts: bastion.knownHosts('only-bastion') })
  const target = targetOf(node, { identityFile: bastion.key, bastion: jump(bastion) })
  const key = await connections.hostKey(target)
  expect(`${key.type} ${key.blob}`).toBe(node.hostKey())
  expect(node.count('logins')).toBe(0)
})
