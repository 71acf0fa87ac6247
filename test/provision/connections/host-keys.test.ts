import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { failureOf } from './failure-of.ts'
import { Bench, story, targetOf } from './place.ts'
import type { Sshd } from './sshd.ts'

const bench = new Bench()
const unverified: Sshd[] = []

/** Whatever a test did, nothing may have been logged in to or run. */
afterEach(() => {
  for (const sshd of unverified.splice(0)) {
    expect(sshd.log).toContain('Connection from')
    expect(sshd.log).not.toMatch(/Accepted|Failed publickey|Starting session/)
  }
})

const shownBy = (line: string) =>
  /SHA256:\S+/.exec(execFileSync('ssh-keygen', ['-lf', '-'], { input: line, encoding: 'utf8' }))![0]

const attempt = async (sshd: Sshd, knownHosts: string, more: object = {}) => {
  const on = await bench.connections({ knownHosts }).to(targetOf(sshd, more))
  return failureOf(on.exec(['id'], { deadlineMs: 5_000 }))
}

describe.each(['ssh2', 'system'] as const)('over %s', client => {
  story('an unknown host key stops before anything is said, and how to enrol it is told', async () => {
    const sshd = await bench.sshd()
    unverified.push(sshd)
    const failure = await attempt(sshd, bench.file('none'), { client })
    expect(failure).toMatchObject({
      exit: EXIT.unreachable,
      message: expect.stringMatching(/n1.* is unknown/),
    })
    expect(failure.next).toMatch(/--accept-new-host-keys/)
    if (client === 'ssh2') expect(failure.why).toContain(shownBy(sshd.hostKey()))
  })

  story('a changed host key stops', async () => {
    const [sshd, other] = [await bench.sshd(), await bench.sshd()]
    unverified.push(sshd)
    const failure = await attempt(sshd, sshd.knownHosts('changed', [other.hostKey()]), { client })
    expect(failure).toMatchObject({ exit: EXIT.unreachable, message: expect.stringContaining('CHANGED') })
    if (client === 'system') return
    expect(failure.why).toContain(shownBy(sshd.hostKey()))
    expect(failure.why).toContain(shownBy(other.hostKey()))
  })

  story('two nodes whose addresses were swapped are both stopped', async () => {
    const [one, two] = [await bench.sshd(), await bench.sshd()]
    unverified.push(one, two)
    const known = bench.file(`swapped-${client}`)
    writeFileSync(
      known,
      `[127.0.0.1]:${one.port} ${two.hostKey()}\n[127.0.0.1]:${two.port} ${one.hostKey()}\n`,
    )
    for (const sshd of [one, two])
      expect((await attempt(sshd, known, { client })).message).toContain('CHANGED')
  })

  story('a known key of any of its algorithms is enough: that one is asked for first', async () => {
    const sshd = await bench.sshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] })
    for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
      const knownHosts = sshd.knownHosts(`known-${type}`, [sshd.hostKey(type)])
      const on = await bench.connections({ knownHosts }).to(targetOf(sshd, { client }))
      expect(await on.exec(['true'], { deadlineMs: 5_000 })).toMatchObject({ code: 0 })
    }
  })

  story('only a pinned fingerprint is accepted, of whichever algorithm it is', async () => {
    const sshd = await bench.sshd({ hostKeys: ['ed25519', 'ecdsa'] })
    const hostKey = shownBy(sshd.hostKey('ecdsa'))
    // Over the system's ssh the pin must be of the key that ssh asks for first.
    const pin = client === 'ssh2' ? hostKey : shownBy(sshd.hostKey())
    const on = await bench
      .connections({ knownHosts: bench.file('none') })
      .to(targetOf(sshd, { client, hostKey: pin }))
    expect(await on.exec(['true'], { deadlineMs: 5_000 })).toMatchObject({ code: 0 })
    const stranger = await bench.sshd()
    unverified.push(stranger)
    const failure = await attempt(stranger, stranger.knownHosts(), { client, hostKey })
    expect(failure.exit).toBe(EXIT.unreachable)
    if (client === 'ssh2') expect(failure.why).toContain(hostKey)
  })

  story('hashed names are found, and a revoked key is refused', async () => {
    const sshd = await bench.sshd()
    const known = sshd.knownHosts('hashed')
    execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' })
    expect(readFileSync(known, 'utf8')).toMatch(/^\|1\|/)
    const on = await bench.connections({ knownHosts: known }).to(targetOf(sshd, { client }))
    expect(await on.exec(['true'], { deadlineMs: 5_000 })).toMatchObject({ code: 0 })
    const other = await bench.sshd()
    unverified.push(other)
    const revoked = other.knownHosts('revoked')
    writeFileSync(revoked, `@revoked * ${other.hostKey()}\n`, { flag: 'a' })
    expect((await attempt(other, revoked, { client })).exit).toBe(EXIT.unreachable)
  })
})

story('a key of another algorithm than the known one is not taken for it', async () => {
  const sshd = await bench.sshd({ hostKeys: ['ecdsa'] })
  const other = await bench.sshd()
  unverified.push(sshd)
  const failure = await attempt(sshd, sshd.knownHosts('other', [other.hostKey('ed25519')]))
  expect(failure.message).toMatch(/of a type that is not known/)
  expect(failure.why).toContain(shownBy(sshd.hostKey('ecdsa')))
  expect(failure.why).toContain(shownBy(other.hostKey('ed25519')))
})

story('enrolment shows the key, adds it once it was agreed to, and keeps what stands there', async () => {
  const sshd = await bench.sshd()
  const knownHosts = bench.file('enrolled/known_hosts')
  const connections = bench.connections({ knownHosts })
  const target = targetOf(sshd)
  const on = await connections.to(target)
  const before = await failureOf(on.exec(['true'], { deadlineMs: 5_000 }))
  expect(before.message).toMatch(/is unknown/)
  const shown = await connections.hostKey(target)
  expect(shown).toMatchObject({ node: 'n1', type: 'ssh-ed25519', fingerprint: shownBy(sshd.hostKey()) })
  expect(sshd.count('logins')).toBe(0)
  expect(await connections.enrol([shown])).toEqual([shown])
  expect(await connections.enrol([shown])).toEqual([])
  expect(readFileSync(knownHosts, 'utf8')).toBe(`[127.0.0.1]:${sshd.port} ${sshd.hostKey()}\n`)
  expect(await on.exec(['true'], { deadlineMs: 5_000 })).toMatchObject({ code: 0 })
  writeFileSync(knownHosts, '# by hand, without an end of line')
  await connections.enrol([shown])
  expect(readFileSync(knownHosts, 'utf8')).toBe(
    `# by hand, without an end of line\n[127.0.0.1]:${sshd.port} ${sshd.hostKey()}\n`,
  )
})
