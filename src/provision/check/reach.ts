import type { WantedNode } from '../cluster/cluster.ts'
import type { Finding } from '../components/component.ts'
import { type Peer, reach as probe, type Reached } from '../facts/reach.ts'
import { type Concern, naming, onEach, type Site } from './concern.ts'
import { portsOf } from './ports.ts'

/**
 * Each node reaches the others where it will have to: the TCP ports that components open to other nodes, and between control nodes and
 * all others at least that of sshd, to see that there is a way. Whether something listens there yet does not matter.
 */
export const reach: Concern = {
  name: 'reach',
  probe: true,
  facts(site, node) {
    const peers = peersOf(site, node)
    return peers.length > 0 ? [probe(peers.map(placeOf))] : []
  },
  judge(site, facts) {
    const nodes = site.nodes.filter(node => peersOf(site, node).length > 0)
    const fact = (node: WantedNode) => probe(peersOf(site, node).map(placeOf))
    return onEach({ nodes, facts, what: 'which nodes it reaches' }, fact, (found, node) => {
      // Of one that is down everybody would complain.
      const up = new Set(site.nodes.map(({ name }) => name))
      const peers = peersOf(site, node).filter(peer => up.has(peer.node))
      const blocked = peers.flatMap(peer => {
        const to = found.find(r => r.address === peer.address && r.port === peer.port)
        return to && (to.answer === 'silent' || to.answer === 'barred') ? [{ peer, to }] : []
      })
      const targets = [...new Set(peers.map(peer => peer.node))]
      if (blocked.length > 0)
        return targets.flatMap(target => judgeWay(blocked.filter(({ peer }) => peer.node === target)))
      return targets.length > 0 ? [{ level: 'ok', says: `It reaches ${naming(targets)}.` }] : []
    })
  },
}

const placeOf = ({ address, port }: Peer) => ({ address, port })

interface Wanted extends Peer {
  node: string
  /** undefined: only to see whether there is a way. */
  by?: string
}

function peersOf(site: Site, from: WantedNode): Wanted[] {
  return site.asked
    .filter(node => node !== from)
    .flatMap(node => {
      const declared = portsOf(site, node.name).filter(p => p.protocol === 'tcp' && p.from !== 'loopback')
      if (declared.length > 0)
        return declared.map(({ port, by }) => ({ node: node.name, address: node.address, port, by }))
      const near = node.roles.includes('control') || from.roles.includes('control')
      const port = node.ssh.host === node.address ? (node.ssh.port ?? 22) : 22
      return near ? [{ node: node.name, address: node.address, port }] : []
    })
}

function judgeWay(blocked: { peer: Wanted; to: Reached }[]): Finding[] {
  if (blocked.length === 0) return []
  const [{ peer, to }] = blocked as [{ peer: Wanted; to: Reached }]
  const why = to.answer === 'silent' ? 'nothing came back' : to.why
  const needed = blocked.filter(b => b.peer.by !== undefined)
  const port = (p: Wanted) => `${p.port} of ${p.by}`
  return [
    needed.length > 0
      ? {
          level: 'bad',
          says: `It does not get through to ${peer.node} (${peer.address}), TCP ${needed.map(b => port(b.peer)).join(', ')}: ${why}.`,
          fix: 'Open them in the firewalls of the two nodes and between them.',
        }
      : {
          level: 'warn',
          says: `It does not get through to ${peer.node} (${peer.address}), TCP ${peer.port}: ${why}.`,
          fix: 'Look at routes and firewalls between them; nodes must reach each other on the ports of their services.',
        },
  ]
}
