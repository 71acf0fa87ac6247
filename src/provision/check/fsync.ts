import type { WantedNode } from '../cluster/cluster.ts'
import { fsync as fact, p99 } from '../facts/fsync.ts'
import { type Concern, onEach, type Site } from './concern.ts'
import { span } from './units.ts'

const FINE_MS = 10

/** Monitors and brokers answer only after a sync: where they will live it must be quick. */
export const fsync: Concern = {
  name: 'fsync',
  probe: true,
  facts: (site, node) => (mustBeQuick(site, node) ? [fact] : []),
  judge: (site, facts) =>
    onEach(
      { nodes: site.nodes.filter(node => mustBeQuick(site, node)), facts, what: 'how quick its disk is' },
      fact,
      took => {
        const slow = p99(took)
        const says = `99 of 100 small synced writes in /var/lib take at most ${span(slow)}`
        if (slow <= FINE_MS) return [{ level: 'ok', says: `${says}.` }]
        const fix = 'Give it an SSD with power-loss protection for /var/lib.'
        return [{ level: 'warn', says: `${says}; more than ${FINE_MS} ms slow all nodes down.`, fix }]
      },
    ),
}

const mustBeQuick = ({ cluster, parts }: Site, node: WantedNode): boolean =>
  node.roles.includes('control') ||
  parts.some(({ component, view }) => component.quickDisk?.(cluster, view.config).includes(node))
