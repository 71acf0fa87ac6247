import type { Fact } from '../facts/fact.ts'
import { linesOf, whole } from '../facts/fields.ts'
import { STAMP } from './stamp.ts'

/** Where our programs lie on a node: root's, readable for all. */
export const PROGRAMS = '/opt/llmagentos'

/** An artifact on a node, as it tells of itself. */
export interface Placed {
  name: string
  /** All that it held when it was placed. */
  whole: boolean
}

const SCRIPT = `for at in ${PROGRAMS}/*; do
  [ -L "$at" ] || continue
  name= files= bytes=
  [ ! -r "$at/${STAMP}" ] || { read -r name; read -r files bytes; } <"$at/${STAMP}"
  found=$(find "$at/" -type f ! -path "$at/${STAMP}" -printf '%s\\n' 2>/dev/null | awk '{ n++; s += $1 } END { printf "%d %d", n, s }')
  printf '%s\\t%s\\t%s\\t%s\\n' "$at" "$name" "$files $bytes" "$found"
done`

/** By path. A link to nothing has an empty name. */
export const placed: Fact<Map<string, Placed>> = {
  id: 'placed',
  deadlineMs: 20_000,
  script: SCRIPT,
  parse: stdout =>
    new Map(
      linesOf(stdout).map(line => {
        const [path, name, wanted, found] = line.split('\t')
        if (!path || name === undefined || !found)
          throw new Error(`${JSON.stringify(line)} names no artifact`)
        found.split(' ').map(whole)
        return [path, { name, whole: wanted === found }]
      }),
    ),
}
