import { Secret } from '../../secret.ts'
import type { FileState } from '../facts/kept.ts'
import { type Left, type Step, step } from '../reconcile/step.ts'
import type { FileItem } from './item.ts'
import { entryOf, left, type Now, sha256, shell } from './now.ts'

const WRITE_MS = 60_000
const UNITS = '/etc/systemd/system/'

export function fileSteps(item: FileItem, now: Now): Step[] {
  const { path, text, mode, owner } = item
  const digest = sha256(text)
  const entry = entryOf(now, 'file', path)
  const state = entry && now.kept.files.get(path)
  const wrong = entry ? drift(item, { state, digest, entry }) : `write ${path}: ${item.says}`
  if (!wrong) return []
  // Whoever may read the manifest could try guesses against the digest of a short secret.
  const written = { ...left(now, 'file', path), ...(text instanceof Secret ? {} : { digest }) }
  return [
    step({
      node: now.node,
      says: wrong,
      risk: entry ? 'change' : 'add',
      deadlineMs: WRITE_MS,
      act: { do: 'write', path, text, mode, owner },
      leaves: entry && entry.digest === written.digest ? [] : [written],
    }),
  ]
}

function drift(item: FileItem, o: { state?: FileState; digest: string; entry: Left }): string | undefined {
  const { path, says } = item
  if (!o.state) return `put back ${path}: it is gone (${says})`
  if (o.state.type !== 'file') return `put back ${path}: it is no file any more (${says})`
  if (o.state.sha256 !== o.digest)
    return o.entry.digest === o.digest
      ? `put back ${path}: edited by hand (${says})`
      : `change ${path}: ${says}`
  if (o.state.mode !== item.mode || o.state.owner !== item.owner)
    return `put back ${path}: ${octal(item.mode)} ${item.owner} in place of ${octal(o.state.mode)} ${o.state.owner} (${says})`
  return undefined
}

export function goneFile(gone: Left, { node }: Now): Step {
  return step({
    node,
    says: `remove ${gone.name}: it is no longer needed`,
    risk: 'change',
    deadlineMs: WRITE_MS,
    act: { do: 'remove', path: gone.name },
    takes: [gone],
  })
}

/** Lets systemd forget the unit files that these steps removed. */
export function reloadAfter(removed: Step[], { node }: Now): Step[] {
  const paths = removed.flatMap(({ act }) =>
    act.do === 'remove' && act.path.startsWith(UNITS) ? [act.path] : [],
  )
  if (paths.length === 0) return []
  return [
    step({
      node,
      says: 'let systemd forget the units that were removed',
      risk: 'change',
      deadlineMs: WRITE_MS,
      act: shell('exec systemctl daemon-reload', ...paths),
    }),
  ]
}

/** Whether a step writes the unit's own file, or one of those that are read with it. */
export const writesUnit = ({ act }: Step, unit: string) =>
  act.do === 'write' && (act.path === UNITS + unit || act.path.startsWith(`${UNITS}${unit}.d/`))

const octal = (mode: number) => mode.toString(8).padStart(4, '0')
