import type { WantedNode } from './cluster.ts'

/** n2 before n10. What is written on machines follows this order, so that a file whose nodes change places changes nothing there. */
export const inNameOrder = (nodes: WantedNode[]): WantedNode[] =>
  nodes.toSorted((a, b) => (rank(a.name) < rank(b.name) ? -1 : 1))

/** Numbers by their length first: then characters can be compared. */
const rank = (name: string) => name.replace(/\d+/g, digits => String(digits.length).padStart(2, '0') + digits)
