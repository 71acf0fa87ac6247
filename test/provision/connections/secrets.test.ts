import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { expect } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { Secret } from '../../../src/secret.ts'
import { failureOf } from './failure-of.ts'
import { Bench, story, targetOf } from './place.ts'
import { commandOf, newKey } from './sshd.ts'

const bench = new Bench()
const quick = { deadlineMs: 10_000 }
const canary = (name: string) => `canary-${name}-${Math.random().toString(36).slice(2)}`

/** Every process's arguments, sampled until `stop` is called. */
function watchArguments(): () => string {
  const seen = new Set<string>()
  const look = () => {
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name)))
      seen.add(commandOf(Number(pid)))
  }
  const timer = setInterval(look, 1)
  return () => {
    clearInterval(timer)
    look()
    return [...seen].join('\n')
  }
}

story(
  'a key with a passphrase is unlocked by the one that was asked for, once for all nodes, and nobody sees it',
  async () => {
    const sshd = await bench.sshd()
    const passphrase = canary('passphrase')
    const key = newKey(bench.file('locked'), 'ed25519', passphrase)
    sshd.letIn(key)
    let asked = 0
    const connections = bench.connections({
      knownHosts: sshd.knownHosts(),
      passphrase: async () => {
        asked++
        return new Secret(asked === 1 ? 'wrong' : passphrase)
      },
    })
    const stop = watchArguments()
    const nodes = await Promise.all(
      ['n1', 'n2', 'n3'].map(node => connections.to(targetOf(sshd, { node, identityFile: key }))),
    )
    await Promise.all(nodes.map(on => on.exec(['true'], quick)))
    expect(asked).toBe(2)
    expect(sshd.count('connections')).toBe(3)
    expect(stop()).not.toContain(passphrase)
    expect(inspect([connections, nodes], { depth: 20, showHidden: true })).not.toContain(passphrase)
  },
)

story('without the passphrase the login fails, and the key is named', async () => {
  const sshd = await bench.sshd()
  const secret = canary('never')
  const key = newKey(bench.file('locked-for-ever'), 'ed25519', canary('passphrase'))
  sshd.letIn(key)
  const connect = async (passphrase?: () => Promise<Secret | undefined>) =>
    failureOf(
      (
        await bench
          .connections({ knownHosts: sshd.knownHosts(), passphrase })
          .to(targetOf(sshd, { identityFile: key }))
      ).exec(['true'], quick),
    )
  const wrong = await connect(async () => new Secret(secret))
  expect(wrong).toMatchObject({
    exit: EXIT.usage,
    message: expect.stringContaining(key),
    next: expect.stringContaining('ssh-add'),
  })
  expect(inspect(wrong, { depth: 10 })).not.toContain(secret)
  expect(await connect()).toMatchObject({ exit: EXIT.unreachable, why: expect.stringContaining('none') })
})

story('a secret as input is seen by the command alone', async () => {
  const sshd = await bench.sshd()
  const secret = canary('stdin')
  const on = await bench.connections({ knownHosts: sshd.knownHosts() }).to(targetOf(sshd))
  const stop = watchArguments()
  const { stdout } = await on.exec(['sh', '-c', 'sleep 0.1; wc -c'], { ...quick, stdin: new Secret(secret) })
  expect(Number(stdout)).toBe(secret.length)
  await on.write(bench.file('secret'), new Secret(secret), { mode: 0o600, root: false })
  const failure = await failureOf(on.write('/none/secret', new Secret(secret), { mode: 0o600, root: false }))
  expect(stop()).not.toContain(secret)
  expect(inspect(failure, { depth: 10 })).not.toContain(secret)
  expect(sshd.log).not.toContain(secret)
})

story(
  'keys of the agent are offered: first those that the options name, and only those with IdentitiesOnly',
  async () => {
    const sshd = await bench.sshd()
    const socket = bench.file('agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      await once(agent.stdout, 'data')
      const env = { SSH_AUTH_SOCK: socket }
      const passphrase = canary('agent')
      const locked = newKey(bench.file('in-agent'), 'ed25519', passphrase)
      const strangers = Array.from({ length: 4 }, (_, i) => newKey(bench.file(`stranger${i}`)))
      const askpass = bench.file('askpass')
      writeFileSync(askpass, `#!/bin/sh\necho ${passphrase}\n`, { mode: 0o700 })
      for (const key of [...strangers, locked])
        execFileSync('ssh-add', ['-q', key], {
          env: { ...env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', PATH: process.env['PATH'] },
        })
      sshd.letIn(locked)
      const only = { knownHosts: sshd.knownHosts(), env }
      const named = await bench.connections(only).to(targetOf(sshd, { identityFile: locked }))
      expect(await named.exec(['true'], quick)).toMatchObject({ code: 0 })
      expect(sshd.log).not.toMatch(/Failed publickey/)
      const unnamed = await bench.connections(only).to({ node: 'n1', host: '127.0.0.1', port: sshd.port })
      expect(await unnamed.exec(['true'], quick)).toMatchObject({ code: 0 })
      const config = bench.file('only.conf')
      writeFileSync(config, `Host *\n  IdentitiesOnly yes\n  IdentityFile ${strangers[0]}\n`)
      const refused = await bench
        .connections({ ...only, config })
        .to({ node: 'n1', host: '127.0.0.1', port: sshd.port })
      expect(await failureOf(refused.exec(['true'], quick))).toMatchObject({ exit: EXIT.unreachable })
    } finally {
      agent.kill()
    }
  },
)
