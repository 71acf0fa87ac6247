import type { Principal } from '../../../contracts/identity.ts'
import type { Log } from '../../../log.ts'
import type { Hop } from '../../hop.ts'
import type { Calls } from '../../transport.ts'
import type { Knowledge } from './knowledge.ts'
import type { Line } from './line.ts'
import type { OutputFilters } from './output.ts'
import type { RequestLog } from './request-log.ts'
import type { Turns } from './turns.ts'
import type { Workers } from './workers.ts'

/** What the stages share, made once per service. */
export interface Parts {
  calls: Calls
  log: Log
  workers: Workers
  line: Line
  knowledge: Knowledge
  filters: OutputFilters
  requestLog: RequestLog
  turns: Turns
  maxAnswerChars: number
}

/** One request on its way through the stages. */
export interface Asking {
  who: Principal
  hop: Hop
  parts: Parts
}
