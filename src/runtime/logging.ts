import pino from 'pino'
import type { Log } from '../log.ts'
import { LogWriter } from './log-writer.ts'

/** JSON lines on stdout: systemd's journal or the file that a one-machine cluster points it to. Synchronous, so that a crash loses nothing. */
export function jsonLog(o: { service: string; level?: string }): Log {
  return pino(
    {
      level: o.level ?? 'info',
      base: { service: o.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    new LogWriter(1),
  ) as unknown as Log
}
