import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { localConnection } from '../../../src/provision/connections/local.ts'
import { Bench, story, targetOf } from './place.ts'
import { lacksSshd, newKey } from './sshd.ts'
import { stories } from './stories.ts'

const bench = new Bench()

describe.each(['ssh2', 'system'] as const)('over %s', client => {
  stories({
    lacks: lacksSshd,
    async open() {
      const sshd = await bench.sshd()
      const connections = bench.connections({ knownHosts: sshd.knownHosts() })
      const connection = await connections.to(targetOf(sshd, { client }))
      return { connection, root: process.getuid?.() === 0 }
    },
  })

  story('one run has one TCP connection per node', async () => {
    const sshd = await bench.sshd()
    const connections = bench.connections({ knownHosts: sshd.knownHosts() })
    const on = await connections.to(targetOf(sshd, { client }))
    await Promise.all(Array.from({ length: 20 }, () => on.exec(['true'], { deadlineMs: 20_000 })))
    await on.write(bench.file('x'), 'x', { mode: 0o600, root: false })
    ;(await on.open(sshd.port)).destroy()
    // The one of open() is sshd's with itself.
    expect(sshd.count('connections')).toBeLessThanOrEqual(2)
    expect(sshd.count('logins')).toBe(1)
    expect(sshd.count('commands')).toBe(21)
  })
})

story(
  "a ProxyCommand, and a certificate of one's own, are carried by the system's ssh over one connection, and that is said",
  async () => {
    const authority = newKey(bench.file('authority'))
    const sshd = await bench.sshd({ options: [`TrustedUserCAKeys ${authority}.pub`] })
    // Known to the authority alone.
    const own = newKey(bench.file('own'))
    execFileSync('ssh-keygen', [
      '-q',
      '-s',
      authority,
      '-I',
      'ada',
      '-n',
      sshd.user,
      '-V',
      '+1h',
      `${own}.pub`,
    ])
    const ways = bench.file('ways')
    const proxy = bench.file('proxy.sh')
    const stays = bench.file('stays')
    writeFileSync(
      proxy,
      `echo went >>${ways}; sleep 60 & echo $! >${stays}; exec 3<>/dev/tcp/$1/$2; cat <&3 & exec cat >&3\n`,
    )
    const config = bench.file('odd.conf')
    writeFileSync(config, `Host *\n  ProxyCommand bash ${proxy} %h %p\n  CertificateFile ${own}-cert.pub\n`)
    const connections = bench.connections({ config, knownHosts: sshd.knownHosts() })
    const target = targetOf(sshd, { identityFile: own })
    const on = await connections.to(target)
    const ran = await Promise.all(
      Array.from({ length: 8 }, (_, i) => on.exec(['echo', String(i)], { deadlineMs: 20_000 })),
    )
    expect(ran.map(({ stdout }) => stdout.trim())).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
    expect(readFileSync(ways, 'utf8')).toBe('went\n')
    expect(sshd.count('logins')).toBe(1)
    expect(sshd.log).toMatch(/Accepted publickey .*-CERT /)
    expect(await connections.choice(target)).toMatchObject({
      kind: 'system',
      says: expect.stringContaining('proxycommand'),
    })
    // What it left behind has ssh's standard error, and is waited for by nobody.
    const began = performance.now()
    await connections.close()
    process.kill(Number(readFileSync(stays, 'utf8')))
    expect(performance.now() - began).toBeLessThan(5_000)
  },
)

story('a warm command costs a few milliseconds: nobody waits for a delayed acknowledgement', async () => {
  const sshd = await bench.sshd()
  const connections = bench.connections({ knownHosts: sshd.knownHosts() })
  const [remote, local] = [await connections.to(targetOf(sshd)), localConnection()]
  const median = async (on: typeof remote) => {
    const times: number[] = []
    for (let i = 0; i < 40; i++) {
      const from = performance.now()
      await on.exec(['true'], { deadlineMs: 10_000 })
      times.push(performance.now() - from)
    }
    return times.sort((a, b) => a - b)[20]!
  }
  await median(remote)
  const [there, here] = [await median(remote), await median(local)]
  process.stdout.write(
    `  a warm command: ${there.toFixed(2)} ms over SSH, ${here.toFixed(2)} ms as a child process\n`,
  )
  // With Nagle's algorithm it would be 90 ms more.
  expect(there).toBeLessThan(here * 8)
})
