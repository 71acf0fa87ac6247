import type { Component } from '../../component.ts'
import type { Config } from '../schema.ts'
import { made } from './made.ts'

/** An OSD that is made keeps its disk, until another disk has taken its place. */
export const disksInUse: NonNullable<Component<Config>['disksInUse']> = {
  facts: [made],
  why(disk, { facts, node }) {
    const own = facts.get(node, made).osds.find(one => one.whole && disk.names.includes(one.disk))
    return own && `osd.${own.id} of this cluster keeps its data on it`
  },
}
