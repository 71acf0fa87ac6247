import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../src/commands/program.ts'
import { load } from '../../src/provision/cluster/load.ts'
import { homeIn, runCli } from '../helpers/cli.ts'
import { tempFolder } from '../helpers/temp.ts'
import { FakeTerminal } from '../helpers/terminal.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000

describe('commands on three nodes', () => {
  let lab: Lab

  beforeAll(async () => {
    if (!lacks) lab = await openLab({ name: 'node-commands', nodes: 3 })
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  /** A folder with a cluster.yaml for the nodes of the lab. */
  const cluster = (o: { user?: string; ssh?: string; known?: boolean } = {}) => {
    const folder = tempFolder()
    const nodes = lab.nodes.map(
      ({ name, address }, i) =>
        `  - {name: ${name}, address: ${address}, roles: [${i === 0 ? 'control' : 'worker'}]}\n`,
    )
    const ssh = `{user: ${o.user ?? 'ops'}, identityFile: ${lab.key}${o.ssh ? `, ${o.ssh}` : ''}}`
    writeFileSync(join(folder, 'cluster.yaml'), `name: lab\nssh: ${ssh}\nnodes:\n${nodes.join('')}`)
    return {
      folder,
      knownHosts: join(folder, 'state/llmagentos/lab/known_hosts'),
      cli: (...args: string[]) => runCli(args, { folder }),
      at: (terminal: FakeTerminal, ...args: string[]) =>
        run(args, { ...terminal.io(), env: homeIn(folder), cwd: folder }),
    }
  }
  const screen = () => new FakeTerminal({ columns: 200, rows: 50 })
  const enrolled = async (o: Parameters<typeof cluster>[0] = {}) => {
    const made = cluster(o)
    expect(await made.cli('node', 'list', '--accept-new-host-keys')).toMatchObject({ code: 0 })
    return made
  }
  /** What sshd of a node has let in so far. */
  const logins = async (name: string, user: string) => {
    const { stdout } = await lab.node(name).ssh(['journalctl', '-q', '--no-pager', '-u', 'ssh'])
    return stdout.match(new RegExp(`Accepted publickey for ${user} `, 'g'))?.length ?? 0
  }
  const onAll = <T>(what: (name: string) => Promise<T>) =>
    Promise.all(lab.nodes.map(({ name }) => what(name)))
  const printed = (stdout: string) => stdout.trimEnd().split('\n').toSorted()

  test('enrolment shows the keys that the nodes have, and runs nothing before it is agreed to', async () => {
    const { cli, at, knownHosts } = cluster()
    const before = await onAll(name => logins(name, 'ops'))
    const alone = await cli('node', 'exec', '--', 'id')
    expect(alone).toMatchObject({ code: 4, stdout: '' })
    expect(alone.stderr).toContain('No host key is known of n1, n2, n3. Nothing was run anywhere.')
    const no = screen()
    const refused = at(no, 'node', 'exec', '--', 'id')
    await no.shows('Trust all of them from now on?')
    for (const node of lab.nodes) {
      const own = await node.ssh(['ssh-keygen', '-lf', '/etc/ssh/ssh_host_ed25519_key.pub'])
      expect(no.text()).toContain(/SHA256:\S+/.exec(own.stdout)![0])
    }
    no.type('n\r')
    expect(await refused).toBe(4)
    expect(() => readFileSync(knownHosts)).toThrow('ENOENT')
    expect(await onAll(name => logins(name, 'ops'))).toEqual(before)
    const yes = screen()
    const done = at(yes, 'node', 'exec', '--', 'hostname')
    await yes.shows('Trust all of them from now on?')
    yes.type('y\r')
    expect(await done).toBe(0)
    for (const { name } of lab.nodes) expect(yes.text()).toContain(`${name} | ${name}`)
    expect(readFileSync(knownHosts, 'utf8').trim().split('\n')).toHaveLength(3)
  })

  test('nodes whose host key changed are refused, and none is logged in to', async () => {
    const { cli, knownHosts } = await enrolled()
    // Each of n1 and n2 answers at the address of the other, as far as known_hosts can tell.
    const [one, two] = [lab.node('n1').address, lab.node('n2').address]
    const swapped = readFileSync(knownHosts, 'utf8').replace(/^\S+/gm, host =>
      host === one ? two : host === two ? one : host,
    )
    writeFileSync(knownHosts, swapped)
    const before = await Promise.all(['n1', 'n2'].map(name => logins(name, 'ops')))
    for (const verb of [
      ['exec', '--', 'hostname'],
      ['exec', '--accept-new-host-keys', '--', 'hostname'],
      ['list'],
    ]) {
      const ran = await cli('node', ...verb)
      expect(ran.code).toBe(4)
      expect(ran.stdout + ran.stderr).toContain('The host key of n1 has CHANGED. Nothing was run there.')
      expect(ran.stdout + ran.stderr).toContain('The host key of n2 has CHANGED. Nothing was run there.')
      if (verb[0] === 'exec') expect(ran.stdout).toBe('n3 | n3\n')
    }
    const ssh = await cli('node', 'ssh', 'n1', '--', 'id')
    expect(ssh).toMatchObject({ code: 4, stdout: '' })
    expect(await Promise.all(['n1', 'n2'].map(name => logins(name, 'ops')))).toEqual(before)
  })

  test('a command runs on all nodes, as root by sudo, and its journal can be read', async () => {
    const { cli } = await enrolled()
    const word = `lao-story-${Date.now()}`
    const who = await cli('node', 'exec', '--root', '--', 'sh', '-c', 'echo "$(hostname) $(id -un)"')
    expect(who).toMatchObject({ code: 0, stderr: '' })
    expect(printed(who.stdout)).toEqual(['n1 | n1 root', 'n2 | n2 root', 'n3 | n3 root'])
    const wrote = ['systemd-run', '--quiet', '--wait', `--unit=${word}`, 'echo', `said by ${word}`]
    expect(await cli('node', 'exec', '--on', 'n2', '--root', '--', ...wrote)).toMatchObject({ code: 0 })
    const text = await cli('node', 'logs', 'n2', '--unit', word, '--since', '10m')
    expect(text).toMatchObject({ code: 0, stderr: '' })
    expect(text.stdout).toContain(`said by ${word}`)
    const json = await cli('node', 'logs', 'n2', '--unit', `${word}.service`, '--json')
    const entries = printed(json.stdout).map(line => JSON.parse(line))
    expect(entries).toContainEqual(expect.objectContaining({ node: 'n2', says: `said by ${word}` }))
  })

  test('logs --follow prints what is written from now on, until Ctrl-C ends it there', async () => {
    const { at, cli } = await enrolled()
    const paper = screen()
    const done = at(paper, 'node', 'logs', 'n1', '--follow', '--lines', '0')
    const words = Array.from({ length: 20 }, (_, i) => `lao-followed-${i}-${process.pid}`)
    for (const word of words) {
      await cli('node', 'exec', '--on', 'n1', '--', 'logger', word)
      if (/lao-followed/.test(paper.text())) break
    }
    await Promise.race([paper.shows(/lao-followed-\d+/), done])
    paper.terminate()
    expect(await done, paper.text()).toBe(130)
    expect(await cli('node', 'exec', '--on', 'n1', '--', 'pgrep', '-x', 'journalctl')).toMatchObject({
      code: 5,
      stdout: '',
    })
  })

  test("sudo's password is asked for once for all nodes, and without a terminal that is said", async () => {
    const { at, cli } = await enrolled({ user: 'ops-ask' })
    const alone = await cli('node', 'exec', '--root', '--', 'id', '-un')
    expect(alone).toMatchObject({ code: 3, stdout: '' })
    expect(alone.stderr).toContain(
      'sudo on n1 wants a password of ops-ask, and there is no terminal to ask for it.',
    )
    const paper = screen()
    const done = at(paper, 'node', 'exec', '--root', '--', 'id', '-un')
    await paper.shows('Password of ops-ask for sudo on the nodes:')
    paper.type(`${lab.password}\r`)
    expect(await done).toBe(0)
    for (const { name } of lab.nodes) expect(paper.text()).toContain(`${name} | root`)
    expect(paper.text().match(/Password of ops-ask/g)).toHaveLength(1)
    expect(paper.stdout.written).not.toContain(lab.password)
    const strict = await enrolled({ user: 'ops-ask', ssh: 'sudo: passwordless' })
    const said = await strict.cli('node', 'exec', '--on', 'n1', '--root', '--', 'id')
    expect(said).toMatchObject({ code: 3, stdout: '' })
    expect(said.stderr).toContain('cluster.yaml says that it does not')
  })

  test('init reads host names, memory and addresses, and its file works as it is', async () => {
    const folder = tempFolder()
    const machines = lab.nodes.map(({ address }) => `ops@${address}`)
    const refused = await runCli(['init', '-i', lab.key, ...machines], { folder })
    expect(refused).toMatchObject({ code: 4, stdout: '' })
    expect(() => readFileSync(join(folder, 'cluster.yaml'))).toThrow('ENOENT')
    const made = await runCli(
      ['init', '-i', lab.key, '--accept-new-host-keys', '--name', 'lab', ...machines],
      { folder },
    )
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('cluster.yaml is written, with 3 nodes.'),
    })
    const { nodes } = load(join(folder, 'cluster.yaml'), {})
    expect(nodes.map(({ name, address }) => [name, address])).toEqual(
      lab.nodes.map(({ name, address }) => [name, address]),
    )
    expect(readFileSync(join(folder, 'cluster.yaml'), 'utf8')).toMatch(
      /^ {2}# n1: \d+(\.\d)? GiB, \d+ CPUs, /m,
    )
    const list = await runCli(['node', 'list'], { folder })
    expect(list.code).toBe(0)
    expect(list.stdout.match(/ yes +Debian GNU\/Linux/g)).toHaveLength(3)
  })

  test('node ssh goes where the file says, by the program itself', async () => {
    const { folder } = await enrolled()
    const said = execFileSync(
      process.execPath,
      [
        'bin/llmagentos.js',
        'node',
        'ssh',
        '-f',
        join(folder, 'cluster.yaml'),
        'n3',
        '--',
        'cat',
        '/etc/hostname',
      ],
      { env: { PATH: process.env['PATH'], ...homeIn(folder) }, encoding: 'utf8', input: '' },
    )
    expect(said).toBe('n3\n')
  })

  test('one node that is off is named, ends the command with 4, and keeps it from no other', async () => {
    const { cli } = await enrolled()
    await lab.node('n2').kill()
    const ran = await cli('node', 'exec', '--', 'hostname')
    expect(ran.code).toBe(4)
    expect(printed(ran.stdout)).toEqual(['n1 | n1', 'n3 | n3'])
    expect(ran.stderr).toMatch(/^error: n2 cannot be reached at 10\.\S+ port 22\./)
    const list = await cli('node', 'list')
    expect(list.code).toBe(4)
    expect(list.stdout).toMatch(/^n2 .* no .* n2 cannot be reached/m)
    await lab.node('n2').start()
    expect(await cli('node', 'list')).toMatchObject({ code: 0 })
  })
})
