import { os } from '../../facts/os.ts'
import { reboot } from '../../facts/reboot.ts'
import { time } from '../../facts/time.ts'
import { itemSteps, waveOver } from '../../os/index.ts'
import type { Component } from '../component.ts'
import { namesFact } from './addresses.ts'
import { aptItems } from './apt.ts'
import { firewall } from './firewall/fact.ts'
import { after, before, keeps, load } from './firewall/index.ts'
import { sshPorts } from './firewall/sshd.ts'
import { judge } from './judge.ts'
import { nameItems, template } from './names.ts'
import { schema } from './schema.ts'
import { timeItems } from './time.ts'

const MIB = 1024 ** 2

/** What every node has: time, names, firewall, manners of apt. */
export const base: Component = {
  name: 'base',
  schema,
  needs: [],
  gives: [],
  usual: true,
  placed: cluster => cluster.nodes,
  ports: () => [],
  // chrony, nftables, and apt's index.
  uses: () => ({ memoryBytes: 16 * MIB, disk: [{ path: '/var', bytes: 256 * MIB }] }),
  facts: view => [
    time,
    template,
    namesFact(view),
    firewall,
    ...(view.cluster.firewall.mode === 'strict' ? [sshPorts] : []),
    reboot,
    ...(view.cluster.site.apt.mirror ? [os] : []),
  ],
  items: (view, facts, node) => [
    ...aptItems(view, facts, node),
    ...timeItems(view, facts, node),
    ...nameItems(view, facts, node),
    ...before(view, facts, node),
    ...after(view, facts, node),
  ],
  plan: (view, facts) =>
    waveOver(view, 'base: time, names and firewall', name => {
      const node = view.nodes.find(n => n.name === name)!
      const steps = itemSteps({ node: name, component: 'base', items: base.items(view, facts, node), facts })
      const loading = load(view, facts, node)
      return [...steps.filter(step => !keeps(step)), ...loading, ...steps.filter(keeps)]
    }),
  judge,
}
