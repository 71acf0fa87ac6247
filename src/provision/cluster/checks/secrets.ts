import type { Path, Problem } from '../problems.ts'
import type { Item } from '../read/tree.ts'

const SECRET = /-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-1|\blao_[A-Za-z0-9_-]{20,}/

/** The file is read by many and its last version lies on nodes, so a private key in it is refused, and not repeated. */
export function secretsIn(item: Item, path: Path = []): Problem[] {
  if (item.kind === 'map') return [...item.entries].flatMap(([key, e]) => secretsIn(e.item, [...path, key]))
  if (item.kind === 'list') return item.items.flatMap((one, i) => secretsIn(one, [...path, i]))
  if (typeof item.value !== 'string' || !SECRET.test(item.value)) return []
  return [
    {
      path,
      says: 'is a secret, and this file holds none',
      fix: 'Take it out; name a file, or use the public key.',
      at: item.at,
    },
  ]
}
