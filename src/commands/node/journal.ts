/** What `entryOf` reads, for `journalctl --output-fields`; its own fields with two underscores come anyway. */
export const FIELDS = 'MESSAGE,PRIORITY,_PID,_SYSTEMD_UNIT,UNIT,SYSLOG_IDENTIFIER'

export interface Entry {
  node: string
  at: string
  unit?: string
  /** As syslog counts: 0 is the worst, 7 is debugging. */
  priority?: number
  pid?: number
  says: string
}

/** One line of `journalctl --output=json`; undefined for a line that is none. */
export function entryOf(node: string, line: string): Entry | undefined {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line)
  } catch {
    return undefined
  }
  const text = (name: string) => (typeof fields[name] === 'string' ? (fields[name] as string) : undefined)
  const number = (name: string) => (text(name) === undefined ? undefined : Number(text(name)))
  const micros = number('__REALTIME_TIMESTAMP')
  if (micros === undefined) return undefined
  return {
    node,
    at: new Date(micros / 1_000).toISOString(),
    unit: text('_SYSTEMD_UNIT') ?? text('UNIT') ?? text('SYSLOG_IDENTIFIER'),
    priority: number('PRIORITY'),
    pid: number('_PID'),
    says: saidIn(fields['MESSAGE']),
  }
}

/** Bytes that are not UTF-8 come as a list of numbers, and what is longer than 4 KiB as null. */
function saidIn(message: unknown): string {
  if (message === null) return '(longer than 4 KiB: read it without --json)'
  if (typeof message === 'string') return message
  return Array.isArray(message) ? Buffer.from(message as number[]).toString() : ''
}
