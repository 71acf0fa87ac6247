import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import type { Port } from '../../../src/provision/components/component.ts'
import { Connections, check, checkExit } from '../../../src/provision/index.ts'
import { wanting } from '../../provision/check/site.ts'
import type { FileOptions, reportOf } from '../check-file.ts'
import type { Lab, LabNode } from '../lab.ts'

export interface Checked {
  lab(): Lab
  folder(): string
  /** Does it on the node, and puts it back when the story is over. */
  wrong(node: LabNode, line: string, back: string): Promise<void>
  write(o?: FileOptions): void
  found(): Promise<ReturnType<typeof reportOf>>
  after(back: () => Promise<unknown>): void
}

/** What stands between nodes. */
export function storiesOfWays(o: Checked): void {
  test('of nodes with monitors, clocks are compared, and the pair is named between which port 3300 is closed', async () => {
    const [n1, n2] = o.lab().nodes as [LabNode, LabNode]
    await o.wrong(
      n2,
      `nft -f - <<'END'
table inet story {
  chain in { type filter hook input priority 0; ip saddr ${n1.address} tcp dport 3300 drop; }
}
END`,
      'nft delete table inet story',
    )
    o.write({
      nodes: o
        .lab()
        .nodes.map(({ name, address }) => `{name: ${name}, address: ${address}, roles: [control]}`),
      more: 'components: {ceph: {}}',
    })
    const { notFine, report } = await o.found()
    expect(notFine).toEqual([['bad', 'n1', 'reach']])
    expect(report.findings.find(f => f.check === 'reach' && f.level === 'bad')?.says).toBe(
      `It does not get through to n2 (${n2.address}), TCP 3300 of Ceph's monitor: nothing came back.`,
    )
    const close = report.findings.filter(f => f.says.includes('within 50 ms of those that have to agree'))
    expect(close.map(({ node, level }) => [node, level])).toEqual([
      ['n1', 'ok'],
      ['n2', 'ok'],
      ['n3', 'ok'],
    ])
  })

  test('a port that somebody else holds, and a way that answers nothing', async () => {
    const [n1, n2, n3] = o.lab().nodes as [LabNode, LabNode, LabNode]
    const listen =
      'use Socket; socket($s, PF_INET, SOCK_STREAM, 0); bind($s, pack_sockaddr_in(7420, INADDR_ANY)) or die; listen($s, 5); sleep 600'
    await o.wrong(
      n1,
      `systemd-run -q --unit=squatter perl -e '${listen}'; timeout 20 sh -c 'until ss -Hltn | grep -q :7420; do sleep 0.1; done'`,
      'systemctl stop squatter',
    )
    await o.wrong(n3, `ip route add blackhole ${n2.address}`, `ip route del blackhole ${n2.address}`)
    o.write()
    const cluster = parse(readFileSync(join(o.folder(), 'cluster.yaml'), 'utf8'), { env: {} })
    const connections = new Connections({ knownHosts: o.lab().knownHosts, config: 'none', env: {} })
    o.after(() => connections.close())
    const gateway: Omit<Port, 'node'> = {
      port: 7420,
      protocol: 'tcp',
      from: 'nodes',
      by: 'the gateway',
      path: ['gateway', 'port'],
    }
    const report = await check({
      cluster,
      nodes: cluster.nodes,
      connect: node =>
        connections.to({ node: node.name, host: node.address, user: 'ops', identityFile: o.lab().key }),
      components: [wanting({ ports: [gateway] })],
    })
    const not = (name: string) => report.findings.filter(f => f.check === name && f.level !== 'ok')
    expect(not('ports')).toMatchObject([
      {
        level: 'bad',
        node: 'n1',
        says: 'tcp port 7420, which the gateway wants, is held by perl (squatter.service).',
      },
    ])
    expect(not('reach').map(({ level, node, says }) => [level, node, says.replace(/: .*/, '')])).toEqual([
      ['bad', 'n2', `It does not get through to n3 (${n3.address}), TCP 7420 of the gateway`],
      ['bad', 'n3', `It does not get through to n2 (${n2.address}), TCP 7420 of the gateway`],
    ])
    expect(checkExit(report)).toBe(EXIT.preflight)
  })
}
