import { EXIT, Failure } from '../../errors.ts'
import { absent, storedOf } from '../secrets/plan.ts'
import { stateOf } from '../secrets/state.ts'
import type { SecretWish } from '../secrets/wish.ts'
import { type Look, wishesOf } from './look.ts'
import type { RotateOptions } from './rotate.ts'

/** The wish of a secret that may get a new value now. Throws Failure: 2 for one that cannot be rotated, 4 where a control node is missing. */
export function rotatable(
  { name, cluster }: Pick<RotateOptions, 'name' | 'cluster'>,
  found: Look,
): SecretWish {
  const wishes = wishesOf(found.parts)
  const wish = wishes.find(one => one.name === name)
  if (!wish)
    throw new Failure(`There is no secret ${name} in this cluster.`, {
      exit: EXIT.usage,
      next: 'See them: llmagentos cluster secrets list',
    })
  if (wish.stays !== undefined)
    throw new Failure(`${name} cannot be rotated in this version.`, { exit: EXIT.usage, why: wish.stays })
  if (wish.from.length > 0 || wishes.some(one => one.from.includes(name)))
    throw new Failure(`${name} cannot be rotated in this version.`, {
      exit: EXIT.usage,
      why: `certificates hang on it: all nodes would have to trust the old and the new one for a while`,
    })
  const missing = absent({ cluster, nodes: found.nodes })
  if (missing.length > 0)
    throw new Failure(`A new value needs all control nodes; ${missing.join(', ')} is missing.`, {
      exit: EXIT.unreachable,
      next: `Bring back ${missing.join(', ')}, without \`state: offline\` and \`--on\`.`,
    })
  if (stateOf(name, storedOf(found)).value !== undefined) return wish
  throw new Failure(`The secret ${name} was not made yet.`, {
    exit: EXIT.usage,
    next: 'Run `cluster up` first.',
  })
}
