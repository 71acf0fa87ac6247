import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Paths } from './paths.ts'

/** The process of a one-machine cluster, as it wrote it down. */
export interface Running {
  pid: number
  /** Start time of the process in clock ticks since boot: a pid may be used again, both together are not. */
  ticks: string
  url: string
  version: string
}

const fileOf = (paths: Paths) => join(paths.state, 'process.json')

export function recordRunning(paths: Paths, o: { url: string; version: string }): void {
  const running: Running = { pid: process.pid, ticks: ticksOf(process.pid) ?? '', ...o }
  writeFileSync(fileOf(paths), JSON.stringify(running), { mode: 0o600 })
}

/** undefined when nothing runs; a file that a killed process left counts as nothing. */
export function findRunning(paths: Paths): Running | undefined {
  try {
    const noted = JSON.parse(readFileSync(fileOf(paths), 'utf8')) as Running
    return isAlive(noted) ? noted : undefined
  } catch {
    return undefined
  }
}

export function isAlive({ pid, ticks }: Pick<Running, 'pid' | 'ticks'>): boolean {
  return ticks !== '' && ticksOf(pid) === ticks
}

export function forgetRunning(paths: Paths): void {
  rmSync(fileOf(paths), { force: true })
}

/** Field 22 of /proc/PID/stat; the second field may itself hold spaces and brackets. A zombie does not count as alive. */
function ticksOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
