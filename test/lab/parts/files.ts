import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../../src/errors.ts'
import type { Flavour, Suite } from './recipe.ts'

/** Everything that labs write on this machine lies here or in IMAGES. Names that begin with a dot are the labs' own, the others are labs. */
export const LABS = '/var/lib/llmagentos-lab'
export const IMAGES = '/var/cache/llmagentos-lab'

/** What must be known of a lab to go on with it, or to remove it, when the process that made it is gone. */
export interface Record {
  name: string
  suite: Suite
  flavour: Flavour
  image: string
  /** The image of the node that is being added. */
  next?: string
  /** The lab ends with this process; null is a lab that stays until it is taken down. */
  owner: Process | null
  /** Nor does a lab that stays outlive the run of the stories that made it. */
  run?: Process
  password: string
  /** `suite` and `image` where they are not the lab's. */
  nodes: { name: string; number: number; suite?: Suite; image?: string }[]
}

/** A process of this boot: its pid alone may belong to another one later. */
export interface Process {
  pid: number
  started: string
  boot: string
}

export const folderOf = (lab: string) => join(LABS, lab)

/** The names of all labs, also of halves whose record is gone. */
export const labNames = () =>
  existsSync(LABS) ? readdirSync(LABS).filter(name => !name.startsWith('.')) : []

export const labs = () => labNames().flatMap(name => recordOf(name) ?? [])

export function recordOf(lab: string): Record | undefined {
  try {
    return JSON.parse(readFileSync(join(folderOf(lab), 'lab.json'), 'utf8'))
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

/** Takes the lab's name: its folder appears at once with its record in it. False when somebody else has it. */
export function claim(record: Record): boolean {
  mkdirSync(LABS, { recursive: true })
  const folder = mkdtempSync(join(LABS, `.claim-${process.pid}-`))
  writeRecord(record, folder)
  try {
    renameSync(folder, folderOf(record.name))
    return true
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOTEMPTY' || codeOf(thrown) === 'EEXIST') return false
    throw thrown
  }
}

/** Folders of processes that were killed while they took a name. */
export function removeClaims(): void {
  if (!existsSync(LABS)) return
  for (const name of readdirSync(LABS).filter(name => name.startsWith('.claim-')))
    if (!processOf(Number(name.split('-')[1]))) rmSync(join(LABS, name), { recursive: true, force: true })
}

export function writeRecord(record: Record, folder = folderOf(record.name)): void {
  const next = join(folder, '.lab.json')
  writeFileSync(next, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  renameSync(next, join(folder, 'lab.json'))
}

export function processOf(pid: number): Process | undefined {
  try {
    // The second field is the program's name in brackets, and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    // A zombie has ended: nobody asked for its exit code yet.
    if (fields[0] === 'Z') return undefined
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return { pid, started: fields[19]!, boot }
  } catch {
    return undefined
  }
}

/** Whether the lab's process is gone, so that whoever comes next removes it. */
export const orphaned = ({ owner, run }: Record) => (owner && !lives(owner)) || (run && !lives(run)) || false

export function lives(process: Process): boolean {
  const now = processOf(process.pid)
  return now?.started === process.started && now.boot === process.boot
}
