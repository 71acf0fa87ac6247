import {
  CommanderError,
  Command as Parser,
  Argument as ParserArgument,
  Option as ParserOption,
} from 'commander'
import { version } from '../assets.ts'
import { EXIT, type ExitCode, Failure } from '../errors.ts'
import type { Call, Command, Io, Noun } from './command.ts'
import { report } from './failure.ts'
import { registry } from './index.ts'

/** Parses the words, runs the one command they name, and turns whatever it throws into text and an exit code. */
export async function run(words: string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok
  const json = wantsJson(words)
  const program = buildProgram(
    io,
    async (command, call) => {
      exit = (await command.run(call)) ?? EXIT.ok
    },
    json ? () => {} : undefined,
  )
  try {
    await program.parseAsync(words, { from: 'user' })
    return exit
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return EXIT.ok
      return json ? report(misused(thrown), { json, io }) : EXIT.usage
    }
    if (io.signal.aborted && !(thrown instanceof Failure)) {
      io.say('Interrupted.')
      return EXIT.interrupted
    }
    return report(thrown, { json, io })
  }
}

/** What the parser said, for a script. */
const misused = ({ message }: CommanderError) =>
  new Failure(
    message === '(outputHelp)'
      ? 'No command was given.'
      : message.replace(/^error: /, '').replace(/\s+/g, ' '),
    { exit: EXIT.usage, next: HELP_HINT },
  )

const HELP_HINT = 'Run it with --help to see what it takes.'

type Complain = (text: string) => void
type Runner = (command: Command, call: Call<unknown>) => Promise<void>

/** The parser for the whole registry; `completion` reads it too. `complain` takes what it says of words that it does not understand. */
export function buildProgram(
  io: Io,
  runner: Runner,
  complain: Complain = text => void io.stderr.write(text),
): Parser {
  const program = new Parser('llmagentos')
    .description('From bare Debian machines to a working LLM-agent cluster, and the commands that drive it.')
    .version(version(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', '\nExample:\n  llmagentos cluster up && llmagentos ask "how do I add a node?"')
  settle(program, io, complain)
  for (const entry of registry) {
    if ('commands' in entry) addNoun(program, entry, { io, runner, complain })
    else addCommand(program, entry, { io, runner, complain })
  }
  return program
}

interface Around {
  io: Io
  runner: Runner
  complain: Complain
}

function addNoun(program: Parser, noun: Noun, around: Around): void {
  const parser = new Parser(noun.name).description(noun.summary).helpCommand(false)
  settle(parser, around.io, around.complain)
  for (const command of noun.commands) addCommand(parser, command, around)
  program.addCommand(parser)
}

function addCommand(under: Parser, command: Command, { io, runner, complain }: Around): void {
  const parser = new Parser(command.name)
    .description(command.summary)
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `\nExample:\n${indent(command.example)}${command.more ? `\n\n${command.more}` : ''}`,
    )
  settle(parser, io, complain)
  for (const a of command.arguments ?? []) {
    const name = a.many ? `${a.name}...` : a.name
    const argument = new ParserArgument(a.optional ? `[${name}]` : `<${name}>`, a.says)
    parser.addArgument(a.choices ? argument.choices(a.choices) : argument)
  }
  for (const o of command.options ?? []) {
    const option = new ParserOption(o.flag, o.says)
    if (o.choices) option.choices(o.choices)
    if (o.default !== undefined) option.default(o.default)
    if (o.parse) option.argParser(o.parse)
    parser.addOption(option)
  }
  parser.addOption(
    new ParserOption('--output <format>', 'how to print').choices(['text', 'json']).default('text'),
  )
  parser.option('--json', 'the same as --output json')
  parser.action(async (...given: unknown[]) => {
    const positional = given.slice(0, command.arguments?.length ?? 0)
    const { output, json, ...flags } = parser.opts()
    const args = positional.flat().filter(a => a !== undefined) as string[]
    await runner(command, { args, flags, json: json === true || output === 'json', io })
  })
  under.addCommand(parser, { hidden: command.hidden === true })
}

function settle(parser: Parser, io: Io, complain: Complain): void {
  parser
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(HELP_HINT)
    .configureOutput({
      writeOut: text => void io.stdout.write(text),
      writeErr: complain,
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    })
}

const indent = (text: string) => text.replace(/^/gm, '  ')

function wantsJson(all: string[]): boolean {
  // Behind -- stand words of somebody else's command.
  const words = all.includes('--') ? all.slice(0, all.indexOf('--')) : all
  return (
    words.includes('--json') ||
    words.some((w, i) => w === '--output=json' || (w === '--output' && words[i + 1] === 'json'))
  )
}
