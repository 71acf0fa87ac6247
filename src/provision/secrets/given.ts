import type { Secret } from '../../secret.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Component, View } from '../components/component.ts'
import type { Facts } from '../facts/fact.ts'
import { CA_CERTIFICATE } from './authority.ts'
import { secretsFact } from './fact.ts'
import { stateOf } from './state.ts'
import { together } from './wish.ts'

/** The view with the values of the secrets, as the control nodes told them. `secret` throws an error of ours for one that nobody declared. */
export function withSecrets<C>(component: Component<C>, view: View<C>, facts: Facts): View<C> {
  return {
    ...view,
    secret(name) {
      const value = secretOf(name, view, facts)
      if (value) return value
      throw new Error(`${component.name} asks for the secret ${name}, which is not there`)
    },
  }
}

/** Declared by the component, and not yet there: its plan has to wait for them. */
export function missingSecrets<C>(component: Component<C>, view: View<C>, facts: Facts): string[] {
  return together(component.secrets?.(view) ?? [])
    .map(wish => wish.name)
    .filter(name => secretOf(name, view, facts) === undefined)
}

/** What clients of the cluster trust it by (PEM); undefined where nothing wanted a CA. */
export const authorityOf = (cluster: Cluster, facts: Facts): string | undefined =>
  secretOf(CA_CERTIFICATE, { cluster }, facts)?.reveal()

/** Undefined where no control node of those that answered has it. */
function secretOf(name: string, { cluster }: { cluster: Cluster }, facts: Facts): Secret | undefined {
  const told = cluster.nodes.flatMap(node => {
    const answer = node.roles.includes('control') ? facts.peek(node.name, secretsFact) : undefined
    return answer?.known ? [[node.name, answer.value] as const] : []
  })
  return stateOf(name, new Map(told)).value
}
