import type { Secret } from '../../secret.ts'
import { shell } from '../os/now.ts'
import { type Left, type Step, step } from '../reconcile/step.ts'
import { NEXT, SECRETS } from './fact.ts'
import { COPY, MAKE, MEND, SWITCH } from './programs.ts'
import type { SecretWish } from './wish.ts'

export const COMPONENT = 'secrets'

const DEADLINE_MS = 60_000

/** Never removed by `up`. It also tells, should the file be gone, that there was one. */
export const held = (name: string): Left => ({
  component: COMPONENT,
  kind: 'held',
  name: `${SECRETS}/${name}`,
})

/** The manifest does not name it yet: where no node has the secret, that would mean that it was lost. */
export function make(node: string, { name, program }: SecretWish): Step {
  return step({
    node,
    says: `make the secret ${name}`,
    risk: 'add',
    deadlineMs: DEADLINE_MS,
    act: shell(MAKE, name, program),
  })
}

/** A second value beside the one in use, made like the first. */
export function makeNext(node: string, wish: SecretWish): Step {
  return {
    ...make(node, { ...wish, name: wish.name + NEXT }),
    says: `make a new value of the secret ${wish.name}`,
  }
}

export function copy(node: string, name: string, o: { value: Secret; from: string }): Step {
  const next = name.endsWith(NEXT)
  return step({
    node,
    says: `copy the ${next ? 'new value of the ' : ''}secret ${next ? name.slice(0, -NEXT.length) : name} from ${o.from}`,
    risk: 'add',
    deadlineMs: DEADLINE_MS,
    act: { ...shell(COPY, name), stdin: o.value },
    leaves: next ? [] : [held(name)],
  })
}

export function note(node: string, name: string): Step {
  return step({
    node,
    says: `note that the secret ${name} is here`,
    risk: 'add',
    deadlineMs: DEADLINE_MS,
    act: { do: 'run', argv: ['test', '-s', `${SECRETS}/${name}`] },
    leaves: [held(name)],
  })
}

export function mend(node: string, name: string): Step {
  return step({
    node,
    says: `put back the secret ${name}: it is for root alone (0600)`,
    risk: 'change',
    deadlineMs: DEADLINE_MS,
    act: shell(MEND, name),
  })
}

export function switchTo(node: string, name: string): Step {
  return step({
    node,
    says: `use the new value of the secret ${name}`,
    risk: 'change',
    deadlineMs: DEADLINE_MS,
    act: shell(SWITCH, name),
  })
}
