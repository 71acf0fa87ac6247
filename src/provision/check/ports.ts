import type { Finding, Port } from '../components/component.ts'
import { type Kept, kept } from '../facts/kept.ts'
import { type Listener, listeners } from '../facts/listeners.ts'
import { type Concern, onEach, type Site } from './concern.ts'

/** The ports of our components are free, or held by what we put there. */
export const ports: Concern = {
  name: 'ports',
  facts: (site, node) => (portsOf(site, node.name).length > 0 ? [listeners, kept] : []),
  judge(site, facts) {
    const nodes = site.nodes.filter(node => portsOf(site, node.name).length > 0)
    return onEach({ nodes, facts, what: 'who listens on its ports' }, listeners, (found, node) => {
      const manifest = facts.peek(node.name, kept)
      if (!manifest.known)
        return [{ level: 'unknown', says: `It did not tell what is ours there: ${manifest.why}.` }]
      const wanted = portsOf(site, node.name)
      const taken = wanted.flatMap(port => judgePort(port, { found, kept: manifest.value }))
      const says = `Its ports are free or ours: ${wanted.map(({ port }) => port).join(', ')}.`
      return taken.length > 0 ? taken : [{ level: 'ok', says }]
    })
  },
}

/** Ports that components declare on the node. */
export const portsOf = ({ parts }: Site, node: string): Port[] =>
  (parts[0]?.view.ports ?? []).filter(port => port.node === node)

function judgePort(port: Port, o: { found: Listener[]; kept: Kept }): Finding[] {
  const units = new Set(o.kept.entries.filter(e => e.kind === 'unit').map(e => e.name))
  const others = o.found
    .filter(l => l.protocol === port.protocol && l.port === port.port && meets(port, l))
    .filter(
      l => ![l.socket, ...l.programs.map(p => p.unit)].some(unit => unit !== undefined && units.has(unit)),
    )
  if (others.length === 0) return []
  const who = [...new Set(others.map(holder))].join(' and ')
  return [
    {
      level: 'bad',
      says: `${port.protocol} port ${port.port}, which ${port.by} wants, is held by ${who}.`,
      fix: `Stop it there, or move ours: ${port.path.join('/')} in the file.`,
    },
  ]
}

/** Who listens on one address of the node's own leaves loopback free. */
function meets(port: Port, { address }: Listener): boolean {
  const everywhere = ['*', '0.0.0.0', '::'].includes(address)
  return port.from !== 'loopback' || everywhere || address.startsWith('127.') || address === '::1'
}

function holder({ programs, socket }: Listener): string {
  const [first] = programs
  if (socket) return socket
  if (!first) return 'the kernel itself'
  return first.unit ? `${first.name} (${first.unit})` : `${first.name} (process ${first.pid})`
}
