import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import type { Connection } from '../../../src/provision/connections/connection.ts'
import { Secret } from '../../../src/secret.ts'
import { fileStories, type Story } from './file-stories.ts'

/** Words that a shell would take for something else. */
export const NASTY = [
  '',
  ' ',
  "'",
  "''",
  '"',
  '\\',
  "\\'",
  '\\\\n',
  '$HOME',
  '$(id)',
  '`id`',
  'a\nb',
  '\n',
  'a\tb',
  '*',
  '~',
  '-n',
  '--',
  '!!',
  '#x',
  'a;b',
  '&& false',
  '|',
  '>x',
  '{a,b}',
  'é ü 漢字 🦙',
  '%s%n',
  'A=b',
]

/** What holds for every node that we can get onto, whatever carries it. */
export function stories(o: {
  /** A port of the node's loopback where somebody speaks first; its sshd unless told. */
  greets?: number
  lacks?: string
  open(): Promise<{ connection: Connection; root: boolean }>
}): void {
  let on: Connection
  let root: boolean
  let here: string | undefined
  const there = `/tmp/lao-story-${randomBytes(6).toString('hex')}`
  const story: Story = (title, run) =>
    test(title, async ctx => {
      ctx.skip(o.lacks !== undefined, o.lacks)
      await run()
    })

  beforeAll(async () => {
    if (o.lacks) return
    here = mkdtempSync(join(tmpdir(), 'lao-'))
    ;({ connection: on, root } = await o.open())
    await on.exec(['mkdir', '-m', '755', there], { deadlineMs: 10_000, root })
  })
  afterAll(async () => {
    if (here) rmSync(here, { recursive: true, force: true })
    await on?.exec(['rm', '-rf', there], { deadlineMs: 10_000, root })
    await on?.close()
  })

  describe('commands', () => {
    story('come back with exit code, output and errors apart', async () => {
      const ended = await on.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'], { deadlineMs: 10_000 })
      expect(ended).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' })
    })

    story('get every argument as it is', async () => {
      const { stdout } = await on.exec(['printf', '%s\\0', ...NASTY], { deadlineMs: 10_000 })
      expect(stdout.split('\0').slice(0, -1)).toEqual(NASTY)
      if (!root) return
      const asRoot = await on.exec(['printf', '%s\\0', ...NASTY], { deadlineMs: 10_000, root })
      expect(asRoot.stdout.split('\0').slice(0, -1)).toEqual(NASTY)
    })

    story('read their input to its end: text, a secret, a stream', async () => {
      for (const stdin of [
        'text\n',
        new Secret('hidden'),
        Readable.from([Buffer.from('a'), Buffer.from('b')]),
        undefined,
      ]) {
        const { stdout } = await on.exec(['cat'], { stdin, deadlineMs: 10_000, root })
        expect(stdout).toBe(
          stdin === undefined
            ? ''
            : stdin instanceof Secret
              ? 'hidden'
              : typeof stdin === 'string'
                ? stdin
                : 'ab',
        )
      }
    })

    story('that leave their input unread end as well', async () => {
      const stdin = 'x'.repeat(8 * 1024 * 1024)
      expect(await on.exec(['true'], { stdin, deadlineMs: 20_000 })).toMatchObject({ code: 0 })
    })

    story('tell the signal that ended them', async () => {
      const ended = await on.exec(['sh', '-c', 'kill -TERM $$'], { deadlineMs: 10_000 })
      expect(ended).toMatchObject({ code: 143 })
    })

    story('that are missing are told as 127', async () => {
      const ended = await on.exec(['no-such-command'], { deadlineMs: 10_000 })
      expect(ended).toMatchObject({ code: 127, stderr: expect.stringContaining('no-such-command') })
    })

    story('deliver their lines as they come', async () => {
      const lines: string[] = []
      const onLine = (line: string, from: string) => lines.push(`${from} ${line}`)
      await on.exec(['sh', '-c', "printf 'a\\nb'; printf 'c\\n\\nd'; sleep 0.1; printf e >&2"], {
        deadlineMs: 10_000,
        onLine,
      })
      expect(lines).toEqual(['stdout a', 'stdout bc', 'stdout ', 'stdout d', 'stderr e'])
    })

    story('that flood us keep their beginning and their end', async () => {
      const script = 'echo first; head -c 100000000 /dev/zero | tr "\\0" x; echo; echo last'
      const { code, stdout } = await on.exec(['sh', '-c', script], { deadlineMs: 60_000, keepBytes: 4096 })
      expect(code).toBe(0)
      expect(stdout.length).toBeLessThan(5000)
      expect(stdout).toMatch(/^first\nx+\n\[\.\.\. \d+ bytes left out \.\.\.\]\nx+\nlast\n$/)
    })

    story('run 30 at once over the channels that the node allows', async () => {
      const all = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          on.exec(['sh', '-c', `sleep 0.05; echo ${i}`], { deadlineMs: 30_000 }),
        ),
      )
      expect(all.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 30 }, (_, i) => i))
    })

    story('past their deadline are ended there, with all that they started', async () => {
      const mark = `31.${Math.floor(Math.random() * 1e9)}`
      const late = on.exec(['sh', '-c', `sleep ${mark} & sleep ${mark}; true`], { deadlineMs: 300, root })
      await expect(late).rejects.toMatchObject({
        exit: EXIT.deadline,
        message: expect.stringContaining(on.node),
      })
      expect(await running(mark)).toBe('')
    })

    story('that are interrupted are ended there', async () => {
      const mark = `32.${Math.floor(Math.random() * 1e9)}`
      const interrupt = new AbortController()
      let begun = () => {}
      const started = new Promise<void>(resolve => {
        begun = resolve
      })
      const run = on.exec(['sh', '-c', `echo on; sleep ${mark}; true`], {
        deadlineMs: 60_000,
        signal: interrupt.signal,
        onLine: () => begun(),
      })
      await started
      interrupt.abort()
      await expect(run).rejects.toMatchObject({ exit: EXIT.interrupted })
      expect(await running(mark)).toBe('')
      await expect(on.exec(['true'], { deadlineMs: 1000, signal: interrupt.signal })).rejects.toMatchObject({
        exit: EXIT.interrupted,
      })
    })

    const running = async (mark: string) =>
      (
        await on.exec(['sh', '-c', 'grep -lsxzF -f - /proc/[0-9]*/cmdline'], {
          stdin: `${mark}\n`,
          deadlineMs: 10_000,
          root,
        })
      ).stdout
  })

  describe('files', () => fileStories(story, () => ({ on, root, here: here!, there })))

  describe('ports', () => {
    story("of the node's own loopback can be talked to", async () => {
      const stream = await on.open(o.greets ?? (await sshPort()))
      const first = await new Promise<string>((resolve, reject) =>
        stream.once('data', chunk => resolve(String(chunk))).once('error', reject),
      )
      stream.destroy()
      expect(first).toMatch(/^SSH-2\.0-/)
    })

    story('that nobody listens on are an error', async () => {
      const attempt = async () => text(await on.open(1))
      await expect(attempt()).rejects.toThrow()
    })

    const sshPort = async () =>
      Number(
        (await on.exec(['sh', '-c', 'echo "$SSH_CONNECTION"'], { deadlineMs: 10_000 })).stdout.split(
          ' ',
        )[3] || 22,
      )
  })
}
