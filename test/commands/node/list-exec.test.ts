import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { Bench, story } from '../../provision/connections/place.ts'
import { ClusterOf, terminal, three } from './cluster-of.ts'

const bench = new Bench()

describe('node list', () => {
  story('shows every node, those that are down with the reason, and asks no offline one', async () => {
    const { sshds, cluster } = await three(bench)
    await sshds[2]!.kill()
    const run = await cluster.cli('node', 'list')
    const os = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))![1]!
    const text = cluster
      .masked(run)
      .replaceAll(os.padEnd(12), 'OS')
      .replace(/\d+ (s|min|h|d)\b/g, 'UP')
    expect(text.replace(/ +/g, ' ').replace(/ $/gm, '')).toMatchInlineSnapshot(`
      "exit 4
      NAME ADDRESS ROLES STATE ANSWERS OS UP WHY NOT
      n1 10.0.0.11 control active yes OS UP
      n2 10.0.0.12 worker active yes OS UP
      n3 10.0.0.13 worker active no - - n3 cannot be reached at 127.0.0.1 port PORT-n3.
      old 10.0.0.99 compute offline - - -
      "
    `)
  })

  story('as JSON has everything, and is whole also when nodes are down', async () => {
    const { sshds, cluster } = await three(bench)
    await sshds[0]!.kill()
    const run = await cluster.cli('node', 'list', '--json')
    expect(run).toMatchObject({ code: 4, stderr: '' })
    const { nodes } = JSON.parse(run.stdout)
    expect(nodes).toMatchObject([
      {
        name: 'n1',
        reachable: false,
        why: expect.stringContaining('cannot be reached'),
        next: expect.any(String),
      },
      {
        name: 'n2',
        address: '10.0.0.12',
        labels: { gpu: 'h200' },
        reachable: true,
        upSeconds: expect.any(Number),
      },
      { name: 'n3', roles: ['worker'], state: 'active', reachable: true, kernel: expect.any(String) },
      { name: 'old', state: 'offline' },
    ])
    expect(nodes[3]).not.toHaveProperty('reachable')
  })

  story('says of a node with an unknown host key that nothing was run there', async () => {
    const sshd = await bench.sshd()
    const run = await new ClusterOf([{ name: 'n1', sshd }]).cli('node', 'list')
    expect(run.code).toBe(4)
    expect(run.stdout).toMatch(/n1 .* no .* is unknown\. Nothing was run there\./)
    expect(sshd.log).not.toMatch(/Accepted|Starting session/)
  })
})

describe('node exec', () => {
  story('runs on all nodes, each line with its node, over one connection per node', async () => {
    const { sshds, cluster } = await three(bench)
    const before = sshds.map(sshd => sshd.count('connections'))
    const run = await cluster.cli('node', 'exec', '--', 'sh', '-c', 'echo "a  b"; echo two')
    expect(cluster.masked(run)).toMatchInlineSnapshot(`
      "exit 0
      n1 | a  b
      n1 | two
      n2 | a  b
      n2 | two
      n3 | a  b
      n3 | two
      "
    `)
    expect(sshds.map(sshd => sshd.count('connections'))).toEqual(before.map(count => count + 1))
  })

  story('chooses by name, role and label, and offline nodes only when they are named', async () => {
    const { cluster } = await three(bench)
    const on = async (which: string) => {
      const { stdout } = await cluster.cli('node', 'exec', '--on', which, '--', 'true', '--json')
      const json = await cluster.cli('node', 'exec', '--on', which, '--json', '--', 'true')
      expect(stdout).toBe('')
      return json.stdout
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line).node)
        .toSorted()
    }
    expect(await on('n1')).toEqual(['n1'])
    expect(await on('worker')).toEqual(['n2', 'n3'])
    expect(await on('gpu=h200')).toEqual(['n2'])
    expect(await on('control,gpu=h200')).toEqual(['n1', 'n2'])
    const none = await cluster.cli('node', 'exec', '--on', 'n9', '--', 'true')
    expect(cluster.masked(none)).toMatchInlineSnapshot(`
      "exit 2
      --- stderr
      error: --on n9 means no node.
        next: Nodes are n1, n2, n3, old; roles control, worker, compute; labels gpu=h200, rack=r9.
      "
    `)
  })

  story('ends with 5 when the command fails somewhere, and says where', async () => {
    const { sshds, cluster } = await three(bench)
    const script = 'echo "$SSH_CONNECTION" | grep -q " $0$" && exit 3; echo fine'
    const run = await cluster.cli('node', 'exec', '--', 'sh', '-c', script, String(sshds[1]!.port))
    expect(cluster.masked(run)).toMatchInlineSnapshot(`
      "exit 5
      n1 | fine
      n3 | fine
      --- stderr
      n2: exited with 3
      "
    `)
  })

  story('ends with 4 when a node is down, which is named, and the others run', async () => {
    const { sshds, cluster } = await three(bench)
    await sshds[1]!.kill()
    const run = await cluster.cli('node', 'exec', '--', 'echo', 'there')
    expect(cluster.masked(run)).toMatchInlineSnapshot(`
      "exit 4
      n1 | there
      n3 | there
      --- stderr
      error: n2 cannot be reached at 127.0.0.1 port PORT-n2.
        why:  connect ECONNREFUSED 127.0.0.1:PORT-n2
        next: Is it switched on, is sshd running there, and is the address right?
      "
    `)
  })

  story('as JSON has one event per line of output, end and failure', async () => {
    const { sshds, cluster } = await three(bench)
    await sshds[2]!.kill()
    const run = await cluster.cli(
      'node',
      'exec',
      '--json',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2; kill -9 $$',
    )
    expect(run).toMatchObject({ code: 4, stderr: '' })
    const events = run.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events.filter(e => e.node === 'n1').toSorted((a, b) => `${a.text}`.localeCompare(b.text))).toEqual(
      [
        { event: 'line', node: 'n1', from: 'stderr', text: 'err' },
        { event: 'line', node: 'n1', from: 'stdout', text: 'out' },
        { event: 'ended', node: 'n1', code: 137, signal: 'SIGKILL' },
      ],
    )
    expect(events.filter(e => e.node === 'n3')).toMatchObject([
      { event: 'failed', exit: 4, next: expect.any(String) },
    ])
  })

  story('fifteen nodes at once are no reason for a warning of Node', async () => {
    const hosts = Array.from({ length: 15 }, (_, i) => `127.0.0.${i + 2}`)
    const sshd = await bench.sshd({
      options: ['MaxStartups 100', ...hosts.map(host => `ListenAddress ${host}`)],
    })
    const nodes = hosts.map((host, i) => ({ name: `m${i}`, sshd, host }))
    const cluster = new ClusterOf(nodes)
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const run = await cluster.cli('node', 'exec', '--accept-new-host-keys', '--', 'true')
    // Node emits them on the next turn.
    await new Promise(resolve => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(run, run.stderr).toMatchObject({ code: 0, stdout: '' })
    expect(run.stderr.match(/Trusted from now on/g)).toHaveLength(15)
    expect(warnings).toEqual([])
  })

  story('ends what exceeds its deadline, there too', async () => {
    const { cluster } = await three(bench)
    const word = `lao-sleeps-${process.pid}`
    const run = await cluster.cli(
      'node',
      'exec',
      '--on',
      'n1',
      '--deadline',
      '1s',
      '--',
      'sh',
      '-c',
      'sleep 60; :',
      word,
    )
    expect(run).toMatchObject({ code: 8, stdout: '' })
    expect(run.stderr).toContain('took longer than 1 s and was ended')
    const left = await cluster.cli('node', 'exec', '--on', 'n1', '--', 'pgrep', '-f', `${word}$`)
    expect(left).toMatchObject({ code: 5, stdout: '' })
  })

  story('Ctrl-C ends it there', async () => {
    const { cluster } = await three(bench)
    const word = `lao-waits-${process.pid}`
    const screen = terminal()
    const done = cluster.at(
      screen,
      'node',
      'exec',
      '--on',
      'n2',
      '--',
      'sh',
      '-c',
      'echo begun; sleep 60; :',
      word,
    )
    await screen.shows('n2 | begun')
    screen.terminate()
    expect(await done).toBe(130)
    const left = await cluster.cli('node', 'exec', '--on', 'n2', '--', 'pgrep', '-f', `${word}$`)
    expect(left).toMatchObject({ code: 5, stdout: '' })
  })
})
