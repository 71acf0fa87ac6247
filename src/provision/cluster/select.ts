import type { WantedNode } from './cluster.ts'
import { ROLES, type Selector } from './schema/fields.ts'

/** True when the selector means this node: its role, or all of its labels. No selector means every node. */
export function chosen(node: Pick<WantedNode, 'roles' | 'labels'>, on: Selector | undefined): boolean {
  if (on === undefined) return true
  if (typeof on === 'string') return ROLES.some(role => role === on && node.roles.includes(role))
  return Object.entries(on).every(([key, value]) => node.labels[key] === value)
}
