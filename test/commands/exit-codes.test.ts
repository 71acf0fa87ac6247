import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { commandLine } from '../../src/assets.ts'
import type { Command } from '../../src/commands/command.ts'
import { registry } from '../../src/commands/index.ts'
import { EXIT, Failure } from '../../src/errors.ts'
import { type Host, main } from '../../src/main.ts'
import { runCli } from '../helpers/cli.ts'

test('the exit codes mean what scripts rely on', () => {
  expect(EXIT).toEqual({
    ok: 0,
    ours: 1,
    usage: 2,
    preflight: 3,
    unreachable: 4,
    partial: 5,
    unhealthy: 6,
    locked: 7,
    deadline: 8,
    unsafe: 9,
    changes: 10,
    interrupted: 130,
  })
})

describe('a command', () => {
  afterEach(
    () =>
      void registry.splice(
        registry.findIndex(e => e.name === 'stand-in'),
        1,
      ),
  )

  test('that returns nothing exits 0', async () => {
    registry.push(standIn(async ({ io }) => io.print('done')))
    expect(await runCli(['stand-in'])).toEqual({ code: 0, stdout: 'done\n', stderr: '' })
  })

  test('that returns a code exits with it', async () => {
    registry.push(standIn(async () => EXIT.changes))
    expect((await runCli(['stand-in'])).code).toBe(10)
  })

  test('that fails says what, why and what next on stderr, without a stack', async () => {
    registry.push(standIn(refuse))
    expect(await runCli(['stand-in'])).toEqual({
      code: 9,
      stdout: '',
      stderr: 'error: It would lose data.\n  why:  the disk is not blank\n  next: name the disk\n',
    })
  })

  test.each([
    ['--json'],
    ['--output', 'json'],
    ['--output=json'],
  ])('that fails under %s %s writes one line of JSON to stderr', async (...flags) => {
    registry.push(standIn(refuse))
    const run = await runCli(['stand-in', ...flags])
    expect(run).toMatchObject({ code: 9, stdout: '' })
    expect(run.stderr.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(run.stderr)).toEqual({
      error: { what: 'It would lose data.', why: 'the disk is not blank', next: 'name the disk', exit: 9 },
    })
  })

  test('that has a fault of ours exits 1 and keeps the stack', async () => {
    registry.push(
      standIn(async () => {
        throw new TypeError('x is not a function')
      }),
    )
    const run = await runCli(['stand-in'])
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toMatch(/^llmagentos failed in a way it should not: x is not a function\n/)
    expect(run.stderr).toContain('exit-codes.test.ts')
  })

  test('that has a fault of ours under --json writes no stack into the JSON', async () => {
    registry.push(
      standIn(async () => {
        throw new TypeError('x is not a function')
      }),
    )
    const run = await runCli(['stand-in', '--json'])
    expect(JSON.parse(run.stderr)).toEqual({
      error: { what: 'llmagentos failed in a way it should not: x is not a function', exit: 1 },
    })
  })

  test('gets its words, and stdin as bytes', async () => {
    registry.push(
      standIn(async ({ args, io }) => {
        const chunks: Buffer[] = []
        for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk))
        io.print(JSON.stringify({ args, stdin: Buffer.concat(chunks).toString('hex') }))
      }),
    )
    const run = await runCli(['stand-in', 'one', 'two words'], { stdin: Buffer.from([0, 255]) })
    expect(JSON.parse(run.stdout)).toEqual({ args: ['one', 'two words'], stdin: '00ff' })
  })

  test('stops at the first signal with 130', async () => {
    registry.push(
      standIn(({ io }) => {
        io.say('waiting')
        return new Promise((_, reject) => io.signal.addEventListener('abort', () => reject(io.signal.reason)))
      }),
    )
    const run = await signalled(['stand-in'], 1)
    expect(run).toEqual({ codes: [130], stderr: 'waiting\nInterrupted.\n' })
  })

  test('that does not stop is ended at once by the second signal', async () => {
    registry.push(
      standIn(({ io }) => {
        io.say('deaf')
        return new Promise(() => {})
      }),
    )
    expect(await signalled(['stand-in'], 2)).toEqual({ codes: [130], stderr: 'deaf\n' })
  })
})

test('the built program hands its exit code and all of its output to the shell', async () => {
  const script = await real(['completion', 'bash'])
  expect(script.code).toBe(0)
  expect(script.stdout).toBe((await runCli(['completion', 'bash'])).stdout)
  expect((await real(['xyzzy'])).code).toBe(2)
})

test('a reader that goes away early is no fault of ours', async () => {
  const [command, ...args] = argv('completion', 'bash')
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  await once(child, 'close')
  expect(stderr).toBe('')
})

function standIn(run: Command['run']): Command {
  return {
    name: 'stand-in',
    summary: 'A command of this test',
    arguments: [{ name: 'words', says: 'any', optional: true, many: true }],
    example: 'llmagentos stand-in',
    run,
  }
}

async function refuse(): Promise<never> {
  throw new Failure('It would lose data.', {
    exit: EXIT.unsafe,
    why: 'the disk is not blank',
    next: 'name the disk',
  })
}

/** Runs in this process and sends that many signals, the first when the command says its first line. */
async function signalled(args: string[], signals: number): Promise<{ codes: number[]; stderr: string }> {
  const listeners: (() => void)[] = []
  const codes: number[] = []
  let stderr = ''
  await new Promise<void>(ended => {
    const stream = (onWrite: (text: string) => void) =>
      ({
        write: (text: string, done?: () => void) => [onWrite(text), done?.()],
        on: () => undefined,
      }) as unknown as Host['stdout']
    const host: Host = {
      argv: ['node', 'llmagentos', ...args],
      env: {},
      stdin: process.stdin,
      stdout: stream(() => {}),
      stderr: stream(text => {
        const first = stderr === ''
        stderr += text
        if (first) setImmediate(() => Array.from({ length: signals }, () => listeners[0]!()))
      }),
      cwd: () => '/',
      exit: code => ended(void codes.push(code)),
      on: (signal, listener) => signal === 'SIGINT' && listeners.push(listener),
    }
    void main(host)
  })
  return { codes, stderr }
}

const argv = (...words: string[]): [string, ...string[]] => {
  const [command, ...prefix] = commandLine()
  return [command!, ...prefix, ...words]
}

async function real(words: string[]): Promise<{ code: number | null; stdout: string }> {
  const [command, ...args] = argv(...words)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  await once(child, 'close')
  return { code: child.exitCode, stdout }
}
