import type { Left } from '../reconcile/step.ts'
import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'
import { KEPT } from './kept-program.ts'
import { type UnitState, unitStates } from './units.ts'

/** What the node's manifest says that we keep there, and how each thing is now. */
export interface Kept {
  entries: Left[]
  /** By path; what is not in it is not there. */
  files: Map<string, FileState>
  /** By `blockKey`: sha256 of the lines between our marks, without the last line's end; `damaged` where a mark lacks the other. */
  blocks: Map<string, string>
  /** By name, for the units of the manifest. */
  units: Map<string, UnitState>
  /** Names of openings that are there. */
  openings: Set<string>
}

export interface FileState {
  type: 'file' | 'folder' | 'link' | 'other'
  mode: number
  /** `user:group` */
  owner: string
  /** Of a file of at most 16 MiB. */
  sha256?: string
}

export const blockKey = (component: string, path: string) => `${component}\t${path}`

export const kept: Fact<Kept> = {
  id: 'kept',
  deadlineMs: 20_000,
  script: KEPT,
  parse(stdout) {
    const rows = linesOf(stdout).map(line => line.split('\t'))
    const of = (kind: string) => rows.filter(row => row[0] === kind)
    const entries = of('kept').map(entry)
    const sums = new Map(of('sum').map(([, line]) => [line!.slice(66), line!.slice(0, 64)]))
    return {
      entries,
      files: new Map(of('file').map(row => [row[1]!, fileState(row, sums.get(row[1]!))])),
      blocks: new Map(of('block').map(([, component, path, sum]) => [blockKey(component!, path!), sum!])),
      units: unitStates(
        entries.filter(e => e.kind === 'unit').map(e => e.name),
        rows,
      ),
      openings: new Set(of('opening').map(([, name]) => name!)),
    }
  },
}

function entry([, component, kind, name, digest]: string[]): Left {
  if (!component || !kind || !name) throw new Error('the manifest has a line without a name')
  return { component, kind: kind as Left['kind'], name, ...(digest && { digest }) }
}

const TYPES = new Map<number, FileState['type']>([
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
])

function fileState([, , hex, , owner]: string[], sha256: string | undefined): FileState {
  const mode = Number.parseInt(hex ?? '', 16)
  if (Number.isNaN(mode) || !owner) throw new Error('stat says something else than it was asked')
  return {
    type: TYPES.get(mode & 0o170000) ?? 'other',
    mode: mode & 0o7777,
    owner,
    ...(sha256 && { sha256 }),
  }
}
