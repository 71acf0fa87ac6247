import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXIT } from '../../src/errors.ts'
import { Cut } from '../../src/provision/connections/carrier.ts'
import { Connections, type RunOptions } from '../../src/provision/connections/connections.ts'
import type { Target } from '../../src/provision/connections/resolve.ts'
import { Secret } from '../../src/secret.ts'
import { failureOf } from '../provision/connections/failure-of.ts'
import { stories } from '../provision/connections/stories.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

const quick = { deadlineMs: 30_000 }

describe.each(SUITES)('onto a node of %s', suite => {
  let lab: Lab
  const open: Connections[] = []

  beforeAll(async () => {
    if (!lacks) lab = await openLab({ suite, nodes: 2 })
  })
  afterAll(async () => {
    await Promise.all(open.map(connections => connections.close()))
    await lab?.close()
  })

  const onto = (target: Partial<Target> = {}, run: Partial<RunOptions> = {}) => {
    const connections = new Connections({ config: 'none', env: {}, knownHosts: lab.knownHosts, ...run })
    open.push(connections)
    return connections.to({
      node: 'n1',
      host: lab.node('n1').address,
      user: 'ops',
      identityFile: lab.key,
      ...target,
    })
  }
  const giving = (password: string) => ({ sudoPassword: async () => new Secret(password) })

  describe.each([
    { user: 'root', client: 'ssh2' },
    { user: 'ops', client: 'ssh2' },
    { user: 'ops', client: 'system' },
    { user: 'ops-ask', client: 'ssh2' },
    { user: 'ops-ask', client: 'system' },
  ] as const)('as $user over $client', ({ user, client }) => {
    stories({
      lacks,
      async open() {
        return { connection: await onto({ user, client }, giving(lab.password)), root: true }
      },
    })
  })

  test('sudo is root, and its password goes nowhere but to sudo', async () => {
    const on = await onto({ user: 'ops-ask' }, giving(lab.password))
    const seen = new Set<string>()
    const timer = setInterval(() => {
      for (const line of commandLines()) seen.add(line)
    }, 5)
    const script = 'id -un; cat; sleep 0.3; tr "\\0" "\\n" </proc/self/environ'
    const ended = await on.exec(['sh', '-c', script], { ...quick, root: true, stdin: 'input\n' })
    clearInterval(timer)
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^root\ninput\n/), stderr: '' })
    expect(ended.stdout).not.toContain(lab.password)
    const sudo = [...seen].filter(line => line.includes('sudo -S'))
    expect(sudo).not.toEqual([])
    expect([...seen].join('\n')).not.toContain(lab.password)
    const journal = await on.exec(['journalctl', '-q', '--no-pager'], { ...quick, root: true })
    expect(journal.stdout).not.toContain(lab.password)
  })

  test('a wrong password, none, no right and no sudo at all are told apart', async () => {
    const asRoot = await onto({ user: 'root' })
    const id = async (user: string, run: Partial<RunOptions> = {}) => {
      const on = await onto({ user }, run)
      return failureOf(on.exec(['id'], { ...quick, root: true }))
    }
    const wrong = await id('ops-ask', giving('wrong'))
    expect(wrong).toMatchObject({
      exit: EXIT.preflight,
      message: expect.stringContaining('does not take the password of ops-ask'),
    })
    expect(inspect(wrong, { depth: 10 })).not.toContain('wrong\n')
    expect(await id('ops-ask')).toMatchObject({
      exit: EXIT.preflight,
      message: expect.stringContaining('wants a password of ops-ask'),
    })
    const newUser =
      'useradd -m -s /bin/bash plain && cp -r /home/ops/.ssh /home/plain/ && chown -R plain: /home/plain/.ssh && chpasswd'
    const made = await asRoot.exec(['sh', '-c', newUser], {
      ...quick,
      stdin: new Secret(`plain:${lab.password}`),
    })
    expect(made, made.stderr).toMatchObject({ code: 0 })
    expect(await id('plain', giving(lab.password))).toMatchObject({
      exit: EXIT.preflight,
      message: expect.stringContaining('does not let plain become root'),
      why: expect.stringContaining('not in the sudoers file'),
    })
    await asRoot.exec(['mv', '/usr/bin/sudo', '/usr/bin/sudo.away'], quick)
    expect(await id('ops')).toMatchObject({
      exit: EXIT.preflight,
      message: expect.stringContaining('has no sudo'),
    })
    await asRoot.exec(['mv', '/usr/bin/sudo.away', '/usr/bin/sudo'], quick)
  })

  test('files get an owner', async () => {
    const on = await onto()
    await on.write('/etc/llmagentos-test', 'x', { mode: 0o640, owner: 'root:ops' })
    const { stdout } = await on.exec(['stat', '-c', '%U:%G %a', '/etc/llmagentos-test'], quick)
    expect(stdout).toBe('root:ops 640\n')
  })

  test('a node is reached through another one', async () => {
    const behind = { node: 'n2', host: lab.node('n2').address, bastion: `ops@${lab.node('n1').address}` }
    for (const client of ['ssh2', 'system'] as const) {
      const on = await onto({ ...behind, client })
      expect(await on.exec(['hostname'], quick)).toMatchObject({ stdout: 'n2\n' })
      const { stdout } = await on.exec(['sh', '-c', 'echo "$SSH_CONNECTION"'], quick)
      expect(stdout).toContain(lab.node('n1').address)
    }
  })

  test('a cable that is pulled out cuts the connection; the next use waits until it is back', async () => {
    const config = join(lab.folder, 'impatient.conf')
    writeFileSync(config, 'Host *\n  ServerAliveInterval 1\n  ServerAliveCountMax 2\n  ConnectTimeout 2\n')
    for (const client of ['ssh2', 'system'] as const) {
      const on = await onto({ client }, { config })
      const cut = on.exec(['sh', '-c', 'echo on; sleep 60'], {
        deadlineMs: 60_000,
        onLine: () => lab.node('n1').cut(),
      })
      expect(await failureOf(cut)).toBeInstanceOf(Cut)
      const pending = on.exec(['echo', 'back'], quick)
      setTimeout(() => lab.node('n1').heal(), 1_000)
      expect(await pending).toMatchObject({ stdout: 'back\n' })
    }
  })
})

/** Of all processes of this machine, which are those of its nodes too. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
}
