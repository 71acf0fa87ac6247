import { EXIT, Failure } from '../../errors.ts'

/** Keys and indexes from the top of the file: ['nodes', 2, 'ssh', 'port']. */
export type Path = (string | number)[]

/** One-based, as editors count. */
export interface Spot {
  line: number
  column: number
}

export interface Problem {
  path: Path
  /** Goes behind the path: `must be integer`. */
  says: string
  /** What to write in its place, as a sentence. */
  fix?: string
  at?: Spot
}

/** cluster.yaml cannot be used; `problems` has all of them, in the order of the file. */
export class ClusterFileError extends Failure {
  readonly problems: Problem[]

  constructor(file: string, problems: Problem[]) {
    const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`
    super(`${file} has ${count}.`, {
      exit: EXIT.usage,
      why: problems.map(problemText).join('\n'),
      next: '`llmagentos cluster schema --markdown` lists what can stand in the file.',
    })
    this.name = 'ClusterFileError'
    this.problems = problems
  }
}

/** `nodes/2/ssh/port: must be integer (line 12, column 11). Write it without quotes.` */
export function problemText({ path, says, fix, at }: Problem): string {
  const where = at ? ` (line ${at.line}, column ${at.column})` : ''
  const subject = path.length > 0 ? path.map(key => String(key).slice(0, 80)).join('/') : 'the file'
  return `${subject}: ${says}${where}${fix ? `. ${fix}` : ''}`
}

export function inOrder(problems: Problem[]): Problem[] {
  const place = ({ at }: Problem) => (at ? at.line * 1e6 + at.column : 0)
  return problems.toSorted((a, b) => place(a) - place(b))
}
