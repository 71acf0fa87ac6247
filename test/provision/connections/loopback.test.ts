import { describe, expect } from 'vitest'
import { localConnection } from '../../../src/provision/connections/local.ts'
import { Bench, story, targetOf } from './place.ts'
import { lacksSshd } from './sshd.ts'
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
