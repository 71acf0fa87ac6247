import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { Bench, story } from '../../provision/connections/place.ts'
import type { Sshd } from '../../provision/connections/sshd.ts'
import { ClusterOf, terminal } from './cluster-of.ts'

const bench = new Bench()

async function two(): Promise<{ sshds: Sshd[]; cluster: ClusterOf }> {
  const sshds = [await bench.sshd(), await bench.sshd()]
  return { sshds, cluster: new ClusterOf(sshds.map((sshd, i) => ({ name: `n${i + 1}`, sshd }))) }
}

const ranNothing = (sshds: Sshd[]) => {
  for (const sshd of sshds) expect(sshd.log).not.toMatch(/Accepted|Failed publickey|Starting session/)
}

story('where nobody can be asked, unknown host keys end the command before anything runs', async () => {
  const { sshds, cluster } = await two()
  expect(cluster.masked(await cluster.cli('node', 'exec', '--', 'id'))).toMatchInlineSnapshot(`
    "exit 4
    --- stderr
    error: No host key is known of n1, n2. Nothing was run anywhere.
      why:  n1 ([127.0.0.1]:PORT-n1) shows ssh-ed25519 SHA256:FINGERPRINT
            n2 ([127.0.0.1]:PORT-n2) shows ssh-ed25519 SHA256:FINGERPRINT
      next: Compare them with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on the consoles; then run it again with --accept-new-host-keys, or on a terminal.
    "
  `)
  ranNothing(sshds)
})

story('one unknown host key among known ones keeps the command from all nodes', async () => {
  const { sshds, cluster } = await two()
  await cluster.cli('node', 'list', '--on', 'n1', '--accept-new-host-keys')
  const before = sshds[0]!.count('commands')
  const run = await cluster.cli('node', 'exec', '--', 'id')
  expect(run).toMatchObject({ code: 4, stdout: '' })
  expect(run.stderr).toContain('No host key is known of n2.')
  expect(sshds[0]!.count('commands')).toBe(before)
  ranNothing(sshds.slice(1))
})

story('--accept-new-host-keys trusts machines of which no key is known, and says which keys', async () => {
  const { sshds, cluster } = await two()
  const run = await cluster.cli('node', 'exec', '--accept-new-host-keys', '--', 'echo', 'there')
  expect(cluster.masked(run)).toMatchInlineSnapshot(`
    "exit 0
    n1 | there
    n2 | there
    --- stderr
    Trusted from now on: n1 with ssh-ed25519 SHA256:FINGERPRINT
    Trusted from now on: n2 with ssh-ed25519 SHA256:FINGERPRINT
    "
  `)
  expect(
    cluster.mask(readFileSync(cluster.knownHosts, 'utf8')).replace(/AAAA\S+/g, 'BLOB'),
  ).toMatchInlineSnapshot(`
    "[127.0.0.1]:PORT-n1 ssh-ed25519 BLOB
    [127.0.0.1]:PORT-n2 ssh-ed25519 BLOB
    "
  `)
  expect(await cluster.cli('node', 'exec', '--', 'true')).toEqual({ code: 0, stdout: '', stderr: '' })
  // One to read the key, one for each run.
  for (const sshd of sshds) expect(sshd.count('connections')).toBe(3)
})

story(
  'a changed host key is refused also with --accept-new-host-keys, and the other node is worked on',
  async () => {
    const { sshds, cluster } = await two()
    await cluster.cli('node', 'list', '--accept-new-host-keys')
    const [one, other] = sshds as [Sshd, Sshd]
    await other.kill()
    other.newHostKeys(['ed25519', 'ecdsa'])
    await other.run()
    const before = [one.count('commands'), other.count('logins')]
    const run = await cluster.cli('node', 'exec', '--accept-new-host-keys', '--', 'echo', 'there')
    expect(cluster.masked(run)).toMatchInlineSnapshot(`
    "exit 4
    n1 | there
    --- stderr
    error: The host key of n2 has CHANGED. Nothing was run there.
      why:  It shows ssh-ed25519 SHA256:FINGERPRINT. Known is ssh-ed25519 SHA256:FINGERPRINT (FOLDER/state/llmagentos/halle/known_hosts line 2).
      next: If that machine was installed anew: ssh-keygen -f FOLDER/state/llmagentos/halle/known_hosts -R '[127.0.0.1]:PORT-n2', then enrol it; if not, somebody else answers at [127.0.0.1]:PORT-n2.
    "
  `)
    expect([one.count('commands'), other.count('logins')]).toEqual([before[0]! + 1, before[1]])
  },
)

story('a host key of another type than the known one is no new one', async () => {
  const { sshds, cluster } = await two()
  const [one, other] = sshds as [Sshd, Sshd]
  await cluster.cli('node', 'list', '--accept-new-host-keys')
  await other.kill()
  other.newHostKeys(['ecdsa'])
  await other.run()
  const logins = other.count('logins')
  const run = await cluster.cli('node', 'exec', '--accept-new-host-keys', '--', 'true')
  expect(run.code).toBe(4)
  expect(run.stderr).toContain('n2 shows a host key of a type that is not known of it.')
  expect(other.count('logins')).toBe(logins)
  expect(one.count('commands')).toBe(2)
})

story('at a terminal all new keys are shown in one table, and asked about once', async () => {
  const { sshds, cluster } = await two()
  const screen = terminal()
  const done = cluster.at(screen, 'node', 'exec', '--', 'true')
  await screen.shows('Trust all of them from now on?')
  ranNothing(sshds)
  screen.type('y\r')
  expect(await done).toBe(0)
  expect(cluster.mask(screen.text())).toMatchInlineSnapshot(`
    "No host key is known of these machines. This is what they show:
    MACHINE  ADDRESS            TYPE         FINGERPRINT
    n1       [127.0.0.1]:PORT-n1  ssh-ed25519  SHA256:FINGERPRINT
    n2       [127.0.0.1]:PORT-n2  ssh-ed25519  SHA256:FINGERPRINT
    On its console each prints its own with: ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub
    ✔ Trust all of them from now on? Yes"
  `)
})

story('at a terminal Enter alone is a no: nothing is added, nothing runs', async () => {
  const { sshds, cluster } = await two()
  for (const [keys, code] of [
    ['\r', 4],
    ['\u0003', 130],
  ] as const) {
    const screen = terminal()
    const done = cluster.at(screen, 'node', 'exec', '--', 'id')
    await screen.shows('from now on?')
    screen.type(keys)
    expect(await done).toBe(code)
    expect(() => readFileSync(cluster.knownHosts)).toThrow('ENOENT')
  }
  ranNothing(sshds)
})

story('a fingerprint in cluster.yaml needs no enrolment, and any other key is refused', async () => {
  const sshd = await bench.sshd()
  const shown = async (hostKey: string) => {
    const cluster = new ClusterOf([{ name: 'n1', sshd, ssh: `hostKey: "${hostKey}"` }])
    return cluster.cli('node', 'exec', '--', 'echo', 'there')
  }
  const plain = new ClusterOf([{ name: 'n1', sshd }])
  const fingerprint = /SHA256:[\w+/]{43}/.exec((await plain.cli('node', 'exec', '--', 'id')).stderr)![0]
  expect(await shown(fingerprint)).toEqual({ code: 0, stdout: 'n1 | there\n', stderr: '' })
  const logins = sshd.count('logins')
  const other = await shown(fingerprint.replace(/.$/, end => (end === 'A' ? 'B' : 'A')))
  expect(other).toMatchObject({ code: 4, stdout: '' })
  expect(other.stderr).toContain('is not the one in cluster.yaml')
  expect(sshd.count('logins')).toBe(logins)
})

story('an unknown bastion is enrolled before the node behind it', async () => {
  const [jump, inner] = [await bench.sshd(), await bench.sshd()]
  jump.letIn(inner.key)
  const cluster = new ClusterOf([
    { name: 'n1', sshd: inner, ssh: `bastion: "${jump.user}@127.0.0.1:${jump.port}"` },
  ])
  const refused = await cluster.cli('node', 'exec', '--', 'id')
  expect(refused.stderr).toContain('No host key is known of The bastion 127.0.0.1.')
  ranNothing([jump, inner])
  const run = await cluster.cli('node', 'exec', '--accept-new-host-keys', '--', 'echo', 'there')
  expect(run).toMatchObject({ code: 0, stdout: 'n1 | there\n' })
  expect(run.stderr.match(/Trusted from now on/g)).toHaveLength(2)
})

story('a revoked key is nothing to enrol', async () => {
  const sshd = await bench.sshd()
  const cluster = new ClusterOf([{ name: 'n1', sshd }])
  await cluster.cli('node', 'list', '--accept-new-host-keys')
  writeFileSync(cluster.knownHosts, `@revoked * ${sshd.hostKey()}\n`)
  const logins = sshd.count('logins')
  const run = await cluster.cli('node', 'exec', '--accept-new-host-keys', '--', 'id')
  expect(run).toMatchObject({ code: 4, stdout: '' })
  expect(run.stderr).toContain('is revoked')
  expect(sshd.count('logins')).toBe(logins)
  rmSync(cluster.knownHosts)
})
