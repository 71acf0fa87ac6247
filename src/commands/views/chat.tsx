import { Box, render, Static, Text, useApp, useInput, useStdout } from 'ink'
import { type ReactElement, useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import type { Conversation } from '../chat/conversation.ts'
import { inputRows } from '../chat/input-rows.ts'
import { keysOf } from '../chat/keys.ts'
import type { Item, Picture } from '../chat/screen.ts'
import type { Io } from '../command.ts'
import { Keyboard } from './keyboard.ts'

/** The terminal marks what is pasted, so that a line end in it is not taken for Enter. */
const MARK_PASTES = { on: '\u001b[?2004h', off: '\u001b[?2004l' }

/** Paints a conversation on the terminal and hands it the keys, until it is left. */
export async function showChat(conversation: Conversation, io: Io): Promise<void> {
  const keyboard = new Keyboard(io.stdin as NodeJS.ReadStream)
  const leave = () => conversation.leave()
  keyboard.on('end', leave)
  io.signal.addEventListener('abort', leave)
  io.stdout.write(MARK_PASTES.on)
  try {
    const app = render(<Chat conversation={conversation} />, {
      stdin: keyboard as unknown as NodeJS.ReadStream,
      stdout: io.stdout as NodeJS.WriteStream,
      stderr: io.stderr as NodeJS.WriteStream,
      exitOnCtrlC: false,
      patchConsole: false,
    })
    void conversation.open()
    await app.waitUntilExit()
  } finally {
    io.stdout.write(MARK_PASTES.off)
    io.signal.removeEventListener('abort', leave)
    keyboard.detach()
  }
}

function Chat({ conversation }: { conversation: Conversation }): ReactElement {
  const { screen } = conversation
  const picture = useSyncExternalStore(screen.subscribe, screen.picture)
  const { exit } = useApp()
  useInput(
    useCallback(
      (input, key) => {
        for (const k of keysOf(input, key, screen.picture().editor.pasting)) conversation.press(k)
      },
      [conversation, screen],
    ),
  )
  useEffect(() => {
    if (picture.left) exit()
  }, [picture.left, exit])
  return (
    <>
      <Static items={picture.items}>{(item, i) => <Told key={i} item={item} />}</Static>
      {!picture.left && <Now picture={picture} />}
    </>
  )
}

const STYLE = {
  question: { bold: true, color: 'cyan' },
  answer: {},
  sources: { dimColor: true },
  note: { dimColor: true },
  error: { color: 'red' },
} satisfies Record<Item['kind'], object>

function Told({ item }: { item: Item }): ReactElement {
  const text = item.kind === 'question' ? `> ${item.text.replaceAll('\n', '\n  ')}` : item.text
  return (
    <Box marginTop={item.kind === 'question' || item.kind === 'sources' ? 1 : 0}>
      <Text {...STYLE[item.kind]}>{text || ' '}</Text>
    </Box>
  )
}

/** What is painted anew: the last line of an answer that runs, what it waits for, and the input. */
function Now({ picture: { running, editor } }: { picture: Picture }): ReactElement {
  const { columns, rows } = useSize()
  const most = Math.max(1, Math.min(8, rows - 5))
  return (
    <Box flexDirection="column">
      {running?.line !== undefined && <Text>{pending(running.line)}</Text>}
      {running && <Waiting key={running.says} says={running.says} />}
      <Box marginTop={1} flexDirection="column">
        {inputRows(editor, { columns: columns - 2, most }).map(row => (
          <Text key={row.n} wrap="truncate">
            <Text bold color="cyan">
              {row.n === 0 ? '> ' : '  '}
            </Text>
            {row.cursor === undefined ? (
              row.cells.join('')
            ) : (
              <>
                {row.cells.slice(0, row.cursor).join('')}
                <Text inverse>{row.cells[row.cursor] ?? ' '}</Text>
                {row.cells.slice(row.cursor + 1).join('')}
              </>
            )}
          </Text>
        ))}
      </Box>
    </Box>
  )
}

/** However many empty lines wait, one is shown: what is painted anew must fit on the screen. */
const pending = (line: string) => line.replace(/^\s*\n/, '\n').trimEnd() || ' '

/** Seconds are counted, so that a screen on which nothing else moves shows that it lives. */
function Waiting({ says }: { says: string }): ReactElement {
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setSeconds(s => s + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  return <Text dimColor>{`${says} ...${seconds > 1 ? ` ${seconds} s` : ''}  (Ctrl-C cancels)`}</Text>
}

function useSize(): { columns: number; rows: number } {
  const { stdout } = useStdout()
  const now = useCallback(() => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }), [stdout])
  const [size, setSize] = useState(now)
  useEffect(() => {
    const resized = () => setSize(now())
    stdout.on('resize', resized)
    return () => void stdout.off('resize', resized)
  }, [stdout, now])
  return size
}
