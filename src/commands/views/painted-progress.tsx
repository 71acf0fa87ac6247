import { Box, type Instance, render, Static, Text, useApp, useStdout } from 'ink'
import { type ReactElement, useEffect, useState, useSyncExternalStore } from 'react'
import type { UpEvent } from '../../provision/index.ts'
import type { Io } from '../command.ts'
import { lineOf, type UpProgress } from './up-progress.ts'
import { type Picture, type Row, Working } from './working.ts'

/**
 * A row for each node that works, and finished steps that scroll up. It begins once there is something to do: before that somebody may be
 * asked, and a question and a picture would paint over each other.
 */
export function paintedProgress(io: Io): UpProgress {
  const working = new Working()
  let app: Instance | undefined
  let agreed = false
  const interrupted = () => working.stopping()
  io.signal.addEventListener('abort', interrupted)
  return {
    tell(event) {
      agreed ||= event.type === 'begin' || event.type === 'waiting'
      if (agreed) {
        working.tell(event)
        app ??= paint(working, io)
      } else sayPlain(event, working, io)
      // Whoever agrees does so before the next event.
      if (event.type === 'plan') agreed = true
    },
    async stop() {
      io.signal.removeEventListener('abort', interrupted)
      working.end()
      await app?.waitUntilExit()
    },
  }
}

function sayPlain(event: UpEvent, working: Working, io: Io): void {
  if (event.type === 'plan') working.tell(event)
  const line = lineOf(event)
  if (line !== undefined) io.say(line)
}

/** Results go to stdout, so the picture is on the other one. Ctrl-C stays a signal: no key is read here. */
const paint = (working: Working, io: Io): Instance =>
  render(<Progress working={working} plain={Boolean(io.env['NO_COLOR'])} />, {
    stdin: io.stdin as NodeJS.ReadStream,
    stdout: io.stderr as NodeJS.WriteStream,
    stderr: io.stderr as NodeJS.WriteStream,
    exitOnCtrlC: false,
    patchConsole: false,
  })

function Progress({ working, plain }: { working: Working; plain: boolean }): ReactElement {
  const picture = useSyncExternalStore(working.subscribe, working.picture)
  const { exit } = useApp()
  useEffect(() => {
    if (picture.over) exit()
  }, [picture.over, exit])
  return (
    <>
      <Static items={picture.lines}>
        {({ text, failed }, i) => (
          <Text key={i} {...(failed && !plain && { color: 'red' })}>
            {printable(text)}
          </Text>
        )}
      </Static>
      {!picture.over && <Now picture={picture} plain={plain} />}
    </>
  )
}

/** What is painted anew fits on the screen, however many nodes work and however narrow it is. */
function Now({ picture, plain }: { picture: Picture; plain: boolean }): ReactElement {
  const { stdout } = useStdout()
  const now = useNow()
  const most = Math.max(1, Math.min(20, (stdout.rows || 24) - 4))
  const { rows, phase } = picture
  const shown = rows.slice(0, rows.length > most ? most - 1 : most)
  const more = rows.length - shown.length
  return (
    <Box flexDirection="column" width={stdout.columns || 80}>
      {shown.map(row => (
        <Text key={row.node} wrap="truncate">
          {`${span(now - row.since)}  ${printable(`${row.node}: ${row.says}${said(row)}`)}`}
        </Text>
      ))}
      {more > 0 && <Text wrap="truncate">{`${' '.repeat(7)}  and ${more} more nodes work`}</Text>}
      {phase && <Text wrap="truncate">{`${span(now - phase.since)}  ${printable(phase.says)} ...`}</Text>}
      <Text wrap="truncate" dimColor={!plain}>
        {footer(picture, now)}
      </Text>
    </Box>
  )
}

const said = ({ output }: Row) => (output ? `  ${output}` : '')

function footer({ done, planned, began, stopping }: Picture, now: number): string {
  const keys = stopping
    ? 'stopping after the running steps; Ctrl-C again stops at once'
    : 'Ctrl-C stops after the running steps'
  return `${span(now - began)}  ${done} of ${planned} steps (${keys})`
}

/** As wide for seconds as for hours, so that rows do not jump. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const text =
    seconds < 60
      ? `${seconds} s`
      : seconds < 3600
        ? `${Math.floor(seconds / 60)}m ${seconds % 60}s`
        : `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`
  return text.padStart(7)
}

/** What a step says may hold what a terminal obeys. */
const printable = (text: string) => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trimEnd()

/** Seconds are counted while nothing else moves, so that it shows that it lives. */
function useNow(): number {
  const [now, setNow] = useState(() => performance.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500)
    return () => clearInterval(timer)
  }, [])
  return Math.max(now, performance.now())
}
