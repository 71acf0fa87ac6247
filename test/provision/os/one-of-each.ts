import { goneSteps, itemSteps } from '../../../src/provision/os/index.ts'
import type {
  BlockItem,
  FileItem,
  Item,
  OpeningItem,
  PackageItem,
  UnitItem,
  UserItem,
} from '../../../src/provision/os/item.ts'
import type { Step } from '../../../src/provision/reconcile/step.ts'
import { type BARE, factsOf } from './node.ts'

export const file: FileItem = {
  kind: 'file',
  path: '/etc/story.conf',
  text: 'a = 1\n',
  mode: 0o640,
  owner: 'root:story',
  says: 'the story',
}
export const block: BlockItem = { kind: 'block', path: '/etc/hosts', text: '10.0.0.1 one\n', says: 'names' }
export const packages: PackageItem = {
  kind: 'package',
  names: ['broker', 'tools'],
  held: true,
  says: 'the broker',
}
export const unit: UnitItem = { kind: 'unit', name: 'broker.service', says: 'the broker', inputs: 'abc' }
export const user: UserItem = { kind: 'user', name: 'story', home: '/var/lib/story', says: 'runs the story' }
export const opening: OpeningItem = {
  kind: 'opening',
  through: 'ufw',
  from: '10.0.0.0/24',
  protocol: 'tcp',
  port: 5672,
  says: 'the broker',
}
export const all: Item[] = [user, packages, file, block, opening, unit]

export const steps = (items: Item[], node: typeof BARE): Step[] =>
  itemSteps({ node: 'n1', component: 'story', items, facts: factsOf({ n1: node }) })
export const gone = (items: Item[], node: typeof BARE): Step[] =>
  goneSteps({ node: 'n1', component: 'story', items, facts: factsOf({ n1: node }) })
