import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli } from '../../helpers/cli.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { Bench, story } from '../../provision/connections/place.ts'
import { newKey } from '../../provision/connections/sshd.ts'
import { ClusterOf, terminal, three } from './cluster-of.ts'

const bench = new Bench()

describe('node ssh', () => {
  story('hands over to ssh, with words kept apart, input, and the key of the file', async () => {
    const { cluster } = await three(bench)
    expect(await cluster.cli('node', 'ssh', 'n2', '--', 'printf', '%s|', 'a  b', "it's", '$HOME')).toEqual({
      code: 0,
      stdout: "a  b|it's|$HOME|",
      stderr: '',
    })
    const wc = await runCli(['node', 'ssh', 'n2', '--', 'wc', '-c'], {
      folder: cluster.folder,
      stdin: '12345',
    })
    expect(wc).toEqual({ code: 0, stdout: '5\n', stderr: '' })
    expect(await cluster.cli('node', 'ssh', 'n2', '--', 'sh', '-c', 'exit 7')).toEqual({
      code: 5,
      stdout: '',
      stderr: 'n2: exited with 7\n',
    })
  })

  story('checks host keys strictly, whatever happened since ours were looked at', async () => {
    const { sshds, cluster } = await three(bench)
    await sshds[0]!.kill()
    sshds[0]!.newHostKeys(['ed25519', 'ecdsa'])
    await sshds[0]!.run()
    const run = await cluster.cli('node', 'ssh', 'n1', '--', 'id')
    expect(run).toMatchObject({ code: 4, stdout: '' })
    expect(run.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
    expect(run.stderr).toContain('ssh did not get to n1')
    const unknown = new ClusterOf([{ name: 'n1', sshd: sshds[1]! }])
    expect((await unknown.cli('node', 'ssh', 'n1', '--', 'id')).stderr).toContain(
      'No host key is known of n1.',
    )
  })
})

describe('the way onto nodes', () => {
  story("the system's ssh carries them when the file says so, with the same host keys", async () => {
    const sshd = await bench.sshd()
    const cluster = new ClusterOf([{ name: 'n1', sshd }], { ssh: 'client: openssh' })
    expect((await cluster.cli('node', 'exec', '--', 'id')).stderr).toContain('No host key is known of n1.')
    const run = await cluster.cli('node', 'exec', '--accept-new-host-keys', '--', 'echo', 'there')
    expect(run).toMatchObject({ code: 0, stdout: 'n1 | there\n' })
    expect(run.stderr).toContain("note: The system's ssh carries n1: client: system.")
  })

  story('a passphrase is asked for once at the terminal, and without one the key is named', async () => {
    const sshds = [await bench.sshd(), await bench.sshd()]
    const key = newKey(bench.file('locked'), 'ed25519', 'open sesame')
    for (const sshd of sshds) sshd.letIn(key)
    const cluster = new ClusterOf(
      sshds.map(({ port, user }, i) => ({ name: `n${i + 1}`, sshd: { port, user, key } })),
    )
    const alone = await cluster.cli('node', 'list', '--accept-new-host-keys')
    expect(alone.code).toBe(4)
    expect(alone.stdout).toContain(`The key ${key} has a passphrase, and there is no terminal to ask for it.`)
    const screen = terminal()
    const done = cluster.at(screen, 'node', 'exec', '--', 'true')
    await screen.shows('Passphrase of')
    screen.type('wrong\r')
    await screen.shows('That does not fit.')
    screen.type('open sesame\r')
    expect(await done).toBe(0)
    expect(screen.stdout.written).not.toContain('sesame')
    expect(screen.text().match(/Passphrase of/g)).toHaveLength(2)
  })
})

test.each([
  [['exec', '--', 'id'], 'There is no cluster.yaml in this folder.'],
  [['exec', '-f', 'no.yaml', '--', 'id'], 'no.yaml cannot be read.'],
  [['logs', 'n1', '--since', 'tomorrow'], 'tomorrow is not a point in time.'],
  [['logs', 'n1', '--unit', '*'], '* is not the name of a unit.'],
  [['logs', 'n1', '--unit=-x'], '-x is not the name of a unit.'],
  [['exec', '--deadline', '99', '--', 'id'], '99 is not a time span.'],
  [['exec', '--deadline', '25d', '--', 'id'], '25d is not a time span.'],
])('node %j is refused before anybody connects', async (words, says) => {
  const run = await runCli(['node', ...words])
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toContain(says)
})

test('an unknown node is refused with those that there are', async () => {
  const folder = tempFolder()
  writeFileSync(
    join(folder, 'cluster.yaml'),
    'name: x\nssh: {user: ops}\nnodes: [{name: n1, address: 10.0.0.1, roles: [control]}]\n',
  )
  for (const verb of ['ssh', 'logs'])
    expect(await runCli(['node', verb, 'n2'], { folder })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: There is no node n2.\n  next: There are n1.\n',
    })
})
