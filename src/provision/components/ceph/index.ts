import { os } from '../../facts/os.ts'
import { itemWaves } from '../../os/index.ts'
import { namesFact } from '../base/addresses.ts'
import type { Component } from '../component.ts'
import { items } from './items.ts'
import { judge } from './judge.ts'
import { secrets } from './keys.ts'
import { COMPONENT, monNodes, placed, ports } from './names.ts'
import { refuse } from './refuse.ts'
import { type Config, schema } from './schema.ts'
import { candidate } from './sources.ts'

const MIB = 1024 ** 2

/** Ceph: mons and mgrs on the control nodes. */
export const ceph: Component<Config> = {
  name: COMPONENT,
  schema,
  needs: [],
  gives: [],
  usual: false,
  placed,
  // Mons that disagree by 0.05 s say so, and by more they lose their quorum.
  exactTime: monNodes,
  secrets,
  ports,
  uses: (_view, node) => ({
    memoryBytes: node.roles.includes('control') ? 1024 * MIB : 0,
    disk: [{ path: '/var/lib/ceph', bytes: 4 * 1024 * MIB }],
  }),
  facts: view => [namesFact(view), os, candidate],
  refuse,
  items,
  plan: (view, facts) => itemWaves(ceph, view, facts),
  judge,
}
