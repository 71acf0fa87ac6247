/** What is read here, for `journalctl --output-fields`; fields with two underscores come anyway. */
export const FIELDS = 'MESSAGE,PRIORITY,_PID,SYSLOG_PID,_SYSTEMD_UNIT,UNIT,SYSLOG_IDENTIFIER,_COMM,_HOSTNAME'

export interface Entry {
  node: string
  at: string
  unit?: string
  /** As syslog counts: 0 is the worst, 7 is debugging. */
  priority?: number
  pid?: number
  says: string
}

/** Of one entry: those that are text, and what it says. */
export interface Fields extends Partial<Record<string, string>> {
  /** Microseconds since 1970. */
  __REALTIME_TIMESTAMP: string
  MESSAGE: string
}

/** One line of `journalctl --output=json`; undefined for a line that is none. */
export function fieldsOf(line: string): Fields | undefined {
  let said: Record<string, unknown> | null
  try {
    said = JSON.parse(line)
  } catch {
    return undefined
  }
  const texts = Object.entries(said ?? {}).filter(([, value]) => typeof value === 'string')
  const fields = { ...Object.fromEntries(texts), MESSAGE: saidIn(said?.['MESSAGE']) }
  return '__REALTIME_TIMESTAMP' in fields ? (fields as Fields) : undefined
}

/** The same for programs. */
export function entryOf(node: string, fields: Fields): Entry {
  const number = (name: string) => (fields[name] === undefined ? undefined : Number(fields[name]))
  return {
    node,
    at: new Date(Number(fields.__REALTIME_TIMESTAMP) / 1_000).toISOString(),
    unit: fields['_SYSTEMD_UNIT'] ?? fields['UNIT'] ?? fields['SYSLOG_IDENTIFIER'],
    priority: number('PRIORITY'),
    pid: number('_PID'),
    says: fields.MESSAGE,
  }
}

/** The same for people, as `journalctl --output=short-iso` prints it in the zone `+01:00`. */
export function shortIso(fields: Fields, zone: string): string {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? ['', '+', '0', '0']
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000)
  const at = new Date(Number(fields.__REALTIME_TIMESTAMP) / 1_000 + offsetMs).toISOString().slice(0, 19)
  const pid = fields['_PID'] ?? fields['SYSLOG_PID']
  const who = fields['SYSLOG_IDENTIFIER'] ?? fields['_COMM'] ?? 'unknown'
  const start = `${at}${zone} ${fields['_HOSTNAME'] ?? ''} ${who}${pid === undefined ? '' : `[${pid}]`}: `
  return start + fields.MESSAGE.trimEnd().replaceAll('\n', `\n${' '.repeat(start.length)}`)
}

/** Bytes that are not UTF-8 come as a list of numbers, and what is longer than 4 KiB as null unless all is asked for. */
function saidIn(message: unknown): string {
  if (message === null) return '(longer than 4 KiB: read it without --json)'
  if (typeof message === 'string') return message
  return Array.isArray(message) ? Buffer.from(message as number[]).toString() : ''
}
