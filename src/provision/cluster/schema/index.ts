import Type, { type Static, type TSchema } from 'typebox'
import type { Component } from '../../components/component.ts'
import { block, byDefault, name, optional } from './fields.ts'
import { artifacts, firewall, gateway, network, site } from './network.ts'
import { node } from './node.ts'
import { maintenance, recovery, ssh } from './operations.ts'
import type { Parsed } from './parsed.ts'
import { model, scale } from './work.ts'

const Fields = {
  version: byDefault(1, Type.Literal(1, { description: "of this file's schema" })),
  name: name('of the cluster: what `cluster list` shows, and part of `NAME.internal`'),
  recovery: optional(recovery),
  ssh,
  network: byDefault({}, network),
  site: byDefault({}, site),
  artifacts: byDefault({}, artifacts),
  firewall: byDefault({}, firewall),
  gateway: byDefault({}, gateway),
  nodes: Type.Array(node, { minItems: 1, description: 'the machines, in any order' }),
  models: byDefault([], Type.Array(model, { description: 'the language models that the workers hold' })),
  scale: byDefault({}, scale),
  maintenance: byDefault({}, maintenance),
}
const Known = Type.Object(Fields)

/** What cluster.yaml says, with defaults filled in and units parsed, before what follows from other fields is. */
export type Settings = Parsed<Static<typeof Known>> & { components: Record<string, unknown> }

/** The schema of cluster.yaml for these components: each one's block is checked by its own schema. */
export function clusterSchema(components: Component[]): TSchema {
  const blocks = components.map(c => [c.name, Type.Optional(c.schema)] as const)
  return {
    ...block('A cluster of llmagentos', {
      ...Fields,
      components: byDefault(
        {},
        block('what is installed; a component that stands here is wanted', Object.fromEntries(blocks)),
      ),
    }),
  }
}
