import type { Component } from '../../component.ts'
import type { Config } from '../schema.ts'
import { made } from './made.ts'

/** An OSD that is made keeps its disk, until another disk has taken its place. */
export const disksInUse: NonNullable<Component<Config>['disksInUse']> = {
  facts: [made],
  why(disk, { facts, node }) {
    const own = facts.get(node, made).osds.find(one => one.whole && disk.names.includes(one.disk))
    if (own) return `osd.${own.id} of this cluster keeps its data on it`
    const indexes = facts
      .get(node, made)
      .osds.filter(one => one.whole && one.db !== undefined && disk.names.includes(one.db))
    if (indexes.length === 0) return undefined
    const names = indexes.map(({ id }) => `osd.${id}`).join(', ')
    return `${names} of this cluster ${indexes.length === 1 ? 'keeps its index' : 'keep their indexes'} on it`
  },
}
