import type { Component } from '../components/component.ts'
import { UnknownFact } from '../facts/fact.ts'
import { itemWaves } from '../os/index.ts'
import type { Item } from '../os/item.ts'
import { CA_CERTIFICATE, CA_FILE, CA_KEY } from './authority.ts'
import { judge } from './judge.ts'
import { secretSteps, storedOf } from './plan.ts'
import { type Config, schema } from './schema.ts'
import { stateOf } from './state.ts'
import { COMPONENT } from './steps.ts'

/** Makes the secrets that the other components declare, and brings the CA's certificate to every node. */
export const secrets: Component<Config> = {
  name: COMPONENT,
  schema,
  needs: [],
  gives: [],
  usual: true,
  placed: cluster => cluster.nodes,
  ports: () => [],
  uses: () => ({ memoryBytes: 0, disk: [] }),
  facts: () => [],
  items: (view, facts, { name }) => {
    if (!view.wishes?.some(wish => wish.name === CA_KEY)) return []
    const openssl: Item = { kind: 'package', names: ['openssl'], held: false, says: 'keys and certificates' }
    if (view.nodes.every(node => !node.roles.includes('control')))
      throw new UnknownFact(name, { fact: 'the CA', why: 'no control node takes part in this run' })
    const { value } = stateOf(CA_CERTIFICATE, storedOf({ ...view, facts }))
    return value
      ? [
          openssl,
          {
            kind: 'file',
            path: CA_FILE,
            text: value.reveal(),
            mode: 0o644,
            owner: 'root:root',
            says: "certificate of the cluster's CA",
          },
        ]
      : [openssl]
  },
  plan(view, facts) {
    const waves = itemWaves(secrets, view, facts)
    const steps = secretSteps({ ...view, wishes: [...(view.wishes ?? [])], facts })
    return steps.length > 0 ? [...waves, { says: 'secrets of the cluster', steps }] : waves
  },
  judge,
}
