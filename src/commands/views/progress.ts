import type { Io } from '../command.ts'

export interface Progress {
  done?: number
  total?: number
  says: string
  unit: 'bytes' | 'files'
}

const WIDTH = 30
const HEARTBEAT_MS = 5_000

/** A bar that moves on a terminal; elsewhere one plain line every five seconds, so that a log shows that it lives. */
export function progressBar(title: string, io: Io): { update(p: Progress): void; stop(): void } {
  return io.stderr.isTTY ? moving(title, io) : heartbeat(title, io)
}

function moving(title: string, io: Io): { update(p: Progress): void; stop(): void } {
  let drawn = 0
  return {
    update(p) {
      const now = performance.now()
      if (now - drawn < 80 && p.done !== p.total) return
      drawn = now
      io.stderr.write(`\r\u001b[K${title} ${p.total ? bar(p) : ''} ${numbers(p)}`)
    },
    stop: () => void io.stderr.write('\r\u001b[K'),
  }
}

function heartbeat(title: string, io: Io): { update(p: Progress): void; stop(): void } {
  let said = performance.now() - HEARTBEAT_MS
  return {
    update(p) {
      if (performance.now() - said < HEARTBEAT_MS) return
      said = performance.now()
      io.say(`${title}: ${numbers(p)}`)
    },
    stop() {},
  }
}

function bar({ done = 0, total = 1 }: Progress): string {
  const filled = Math.round(WIDTH * Math.min(1, done / total))
  return `[${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}]`
}

function numbers({ done, total, says, unit }: Progress): string {
  const show = (n: number) =>
    unit === 'files' ? String(n) : n < 1e9 ? `${Math.round(n / 1e6)} MB` : `${(n / 1e9).toFixed(2)} GB`
  if (done === undefined || total === undefined || total === 0) return says
  return `${Math.floor((100 * done) / total)} %  ${show(done)} of ${show(total)}  ${says}`
}
