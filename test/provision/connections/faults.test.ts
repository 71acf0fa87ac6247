import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { expect } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { Cut, LoginRefused } from '../../../src/provision/connections/carrier.ts'
import { failureOf } from './failure-of.ts'
import { Bench, story, targetOf } from './place.ts'
import { freePort, newKey } from './sshd.ts'

const bench = new Bench()
const quick = { deadlineMs: 10_000 }

story('a wrong key and a wrong user are named, with what was offered', async () => {
  const sshd = await bench.sshd()
  const other = newKey(bench.file('other'))
  for (const wrong of [{ identityFile: other }, { user: 'nobody-knows' }]) {
    const on = await bench.connections({ knownHosts: sshd.knownHosts() }).to(targetOf(sshd, wrong))
    const failure = await failureOf(on.exec(['true'], quick))
    expect(failure).toBeInstanceOf(LoginRefused)
    expect(failure).toMatchObject({
      exit: EXIT.unreachable,
      message: expect.stringContaining(wrong.user ?? sshd.user),
    })
    expect(failure.why).toContain(wrong.identityFile ?? sshd.key)
  }
  expect(sshd.count('commands')).toBe(0)
})

story('an identity file that is not there is named before any connection', async () => {
  const sshd = await bench.sshd()
  const connections = bench.connections({ knownHosts: sshd.knownHosts() })
  const failure = await failureOf(connections.to(targetOf(sshd, { identityFile: '/none/id' })))
  expect(failure).toMatchObject({ exit: EXIT.usage, message: expect.stringContaining('/none/id') })
  expect(sshd.count('connections')).toBe(0)
})

story('a host that is down is named: refused, silent, gone in mid-handshake', async () => {
  const sshd = await bench.sshd()
  const sockets: Socket[] = []
  const silent = createServer(socket => void sockets.push(socket))
  const rude = createServer(socket => socket.destroy())
  for (const server of [silent, rude])
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const portOf = (server: typeof silent) => (server.address() as { port: number }).port
  const connections = bench.connections({ knownHosts: sshd.knownHosts(), handshakeMs: 300 })
  const reach = async (port: number) => {
    const on = await connections.to(targetOf(sshd, { port }))
    return failureOf(on.exec(['true'], quick))
  }
  const refused = await reach(await freePort())
  expect(refused).toMatchObject({ exit: EXIT.unreachable, why: expect.stringContaining('ECONNREFUSED') })
  expect(await reach(portOf(silent))).toMatchObject({
    exit: EXIT.unreachable,
    why: expect.stringContaining('longer than 0.3 s'),
  })
  expect(await reach(portOf(rude))).toMatchObject({ exit: EXIT.unreachable })
  for (const socket of sockets) socket.destroy()
  for (const server of [silent, rude]) server.close()
})

story('an sshd that hangs up because too many are logging in is asked again', async () => {
  const sshd = await bench.sshd()
  let hungUp = 0
  const busy = createServer(socket => {
    if (hungUp++ < 2) return void socket.destroy()
    const through = connect(sshd.port, '127.0.0.1')
    socket.pipe(through).pipe(socket)
  })
  await new Promise<void>(resolve => busy.listen(0, '127.0.0.1', resolve))
  const { port } = busy.address() as { port: number }
  const knownHosts = bench.file('known_hosts')
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${sshd.hostKey()}\n`)
  const on = await bench.connections({ knownHosts }).to(targetOf(sshd, { port }))
  expect(await on.exec(['echo', 'in'], quick)).toMatchObject({ code: 0, stdout: 'in\n' })
  expect(hungUp).toBe(3)
  await on.close()
  busy.close()
})

story('a name that does not resolve is named', async () => {
  const sshd = await bench.sshd()
  const on = await bench
    .connections({ knownHosts: sshd.knownHosts() })
    .to(targetOf(sshd, { host: 'no-such-host.invalid' }))
  expect(await failureOf(on.exec(['true'], quick))).toMatchObject({
    exit: EXIT.unreachable,
    message: expect.stringContaining('no-such-host.invalid'),
  })
})

story(
  'a connection that is cut in mid-command says what is unknown, and the next use connects again',
  async () => {
    for (const client of ['ssh2', 'system'] as const) {
      const sshd = await bench.sshd()
      const on = await bench.connections({ knownHosts: sshd.knownHosts() }).to(targetOf(sshd, { client }))
      const cut = on.exec(['sh', '-c', 'echo on; sleep 60'], { deadlineMs: 60_000, onLine: () => sshd.cut() })
      const failure = await failureOf(cut)
      expect(failure).toBeInstanceOf(Cut)
      expect(failure).toMatchObject({
        exit: EXIT.unreachable,
        message: expect.stringMatching(/n1 .*sleep.* is unknown/),
      })
      expect(await on.exec(['echo', 'back'], quick)).toMatchObject({ stdout: 'back\n' })
      expect(sshd.count('logins')).toBe(2)
    }
  },
)

story('a node that boots is waited for after a cut, but not for ever', async () => {
  const sshd = await bench.sshd()
  const connections = bench.connections({ knownHosts: sshd.knownHosts(), againMs: 2_000 })
  const on = await connections.to(targetOf(sshd))
  await on.exec(['true'], quick)
  await sshd.kill()
  const pending = on.exec(['echo', 'up'], quick)
  setTimeout(() => sshd.run(), 500)
  expect(await pending).toMatchObject({ stdout: 'up\n' })
  await sshd.kill()
  expect(await failureOf(on.exec(['true'], quick))).toMatchObject({ exit: EXIT.unreachable })
})

story('a node that was installed anew in the meantime is not trusted', async () => {
  const sshd = await bench.sshd()
  const on = await bench.connections({ knownHosts: sshd.knownHosts() }).to(targetOf(sshd))
  await on.exec(['true'], quick)
  await sshd.kill()
  sshd.newHostKeys(['ed25519'])
  await sshd.run()
  const before = sshd.count('commands')
  expect(await failureOf(on.exec(['true'], quick))).toMatchObject({
    message: expect.stringContaining('CHANGED'),
  })
  expect(sshd.count('commands')).toBe(before)
})

story('an upload that is cut goes on where it was', async () => {
  const sshd = await bench.sshd()
  const on = await bench.connections({ knownHosts: sshd.knownHosts() }).to(targetOf(sshd))
  const { randomBytes, createHash } = await import('node:crypto')
  const { Readable } = await import('node:stream')
  const { readFileSync } = await import('node:fs')
  const bytes = randomBytes(16 * 1024 * 1024)
  const offsets: number[] = []
  let cuts = 0
  const source = {
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    from(offset: number) {
      offsets.push(offset)
      const parts = (async function* () {
        for (let at = offset; at < bytes.length; at += 65536) {
          if (at > 8 * 1024 * 1024 && cuts === 0 && ++cuts) sshd.cut()
          yield bytes.subarray(at, at + 65536)
        }
      })()
      return Readable.from(parts)
    },
  }
  const path = bench.file('uploaded')
  await on.write(path, source, { mode: 0o600, root: false })
  expect(readFileSync(path).equals(bytes)).toBe(true)
  expect(cuts).toBe(1)
  expect(offsets.at(-1)).toBeGreaterThan(0)
})

story('a node that allows fewer channels than usual still runs everything', async () => {
  const sshd = await bench.sshd({ options: ['MaxSessions 2'] })
  const on = await bench.connections({ knownHosts: sshd.knownHosts() }).to(targetOf(sshd))
  const all = await Promise.all(
    Array.from({ length: 12 }, (_, i) => on.exec(['sh', '-c', `sleep 0.1; echo ${i}`], quick)),
  )
  expect(all.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 12 }, (_, i) => i))
  expect(sshd.count('logins')).toBe(1)
})

story('close ends the connection and its processes', async () => {
  for (const client of ['ssh2', 'system'] as const) {
    const sshd = await bench.sshd()
    const connections = bench.connections({ knownHosts: sshd.knownHosts() })
    const on = await connections.to(targetOf(sshd, { client }))
    await on.exec(['true'], quick)
    await connections.close()
    await expect.poll(() => sshd.log).toMatch(/Disconnected from|Connection closed by|Close session/)
  }
})
