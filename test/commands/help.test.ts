import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot, version } from '../../src/assets.ts'
import { registry } from '../../src/commands/index.ts'
import { runCli } from '../helpers/cli.ts'

/** Everything that has a --help: the program, the nouns, the commands. */
const paths = [
  [],
  ...registry.flatMap(e => [[e.name], ...('commands' in e ? e.commands.map(c => [e.name, c.name]) : [])]),
]
const fileOf = (path: string[]) => `${['llmagentos', ...path].join('-')}.txt`

for (const path of paths) {
  test(`${['llmagentos', ...path].join(' ')} --help prints this and nothing else`, async () => {
    const run = await runCli([...path, '--help'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    await expect(run.stdout).toMatchFileSnapshot(`help/${fileOf(path)}`)
  })
}

test('no help of a command that is gone is kept', () => {
  const kept = readdirSync(join(packageRoot(), 'test/commands/help'))
  expect(kept.filter(file => !paths.map(fileOf).includes(file))).toEqual([])
})

test('help COMMAND prints what COMMAND --help prints', async () => {
  expect(await runCli(['help', 'completion'])).toEqual(await runCli(['completion', '--help']))
})

test('--version prints the version and nothing else', async () => {
  for (const flag of ['--version', '-V'])
    expect(await runCli([flag])).toEqual({ code: 0, stdout: `${version()}\n`, stderr: '' })
})

test('no command at all is a usage error that shows the help', async () => {
  const run = await runCli([])
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toBe((await runCli(['--help'])).stdout)
})

test('an unknown command names the one that was meant', async () => {
  expect(await runCli(['completoin'])).toMatchInlineSnapshot(`
    {
      "code": 2,
      "stderr": "error: unknown command 'completoin'
    (Did you mean completion?)
    Run it with --help to see what it takes.
    ",
      "stdout": "",
    }
  `)
})

test('an unknown command that resembles none says where to look', async () => {
  expect(await runCli(['xyzzy'])).toMatchInlineSnapshot(`
    {
      "code": 2,
      "stderr": "error: unknown command 'xyzzy'
    Run it with --help to see what it takes.
    ",
      "stdout": "",
    }
  `)
})

test('an unknown flag names the one that was meant', async () => {
  expect(await runCli(['completion', 'bash', '--jsno'])).toMatchInlineSnapshot(`
    {
      "code": 2,
      "stderr": "error: unknown option '--jsno'
    (Did you mean --json?)
    Run it with --help to see what it takes.
    ",
      "stdout": "",
    }
  `)
})

test('an unknown flag that resembles none says where to look', async () => {
  expect(await runCli(['completion', 'bash', '--xyzzy'])).toMatchInlineSnapshot(`
    {
      "code": 2,
      "stderr": "error: unknown option '--xyzzy'
    Run it with --help to see what it takes.
    ",
      "stdout": "",
    }
  `)
})

test('a missing argument is named', async () => {
  expect(await runCli(['completion'])).toMatchInlineSnapshot(`
    {
      "code": 2,
      "stderr": "error: missing required argument 'shell'
    Run it with --help to see what it takes.
    ",
      "stdout": "",
    }
  `)
})

test('an argument too many is refused', async () => {
  expect(await runCli(['completion', 'bash', 'zsh'])).toMatchInlineSnapshot(`
    {
      "code": 2,
      "stderr": "error: too many arguments for 'completion'. Expected 1 argument but got 2.
    Run it with --help to see what it takes.
    ",
      "stdout": "",
    }
  `)
})

test('a value that is none of the choices is refused with the choices', async () => {
  expect(await runCli(['completion', 'bash', '--output', 'yaml'])).toMatchInlineSnapshot(`
    {
      "code": 2,
      "stderr": "error: option '--output <format>' argument 'yaml' is invalid. Allowed choices are text, json.
    Run it with --help to see what it takes.
    ",
      "stdout": "",
    }
  `)
})
