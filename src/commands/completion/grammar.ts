import type { Command as Parser } from 'commander'

/** What may stand after the words of `path`, e.g. `cluster up`; '' is the program itself. */
export interface Place {
  path: string
  words: Word[]
  flags: Flag[]
}

export interface Word {
  name: string
  says: string
}

export interface Flag {
  long?: string
  short?: string
  says: string
  takesValue: boolean
  choices: string[]
}

/** Every place of the parser, the program first; hidden commands and flags are left out. */
export function grammarOf(program: Parser): Place[] {
  return walk(program, '')
}

function walk(parser: Parser, path: string): Place[] {
  const help = parser.createHelp()
  const commands = help.visibleCommands(parser)
  const here: Place = {
    path,
    words: [
      ...commands.map(c => ({ name: c.name(), says: c.description() })),
      ...parser.registeredArguments.flatMap(a =>
        (a.argChoices ?? []).map(name => ({ name, says: a.description })),
      ),
    ],
    flags: help.visibleOptions(parser).map(o => ({
      long: o.long,
      short: o.short,
      says: o.description,
      takesValue: o.required || o.optional,
      choices: o.argChoices ?? [],
    })),
  }
  return [here, ...commands.flatMap(c => walk(c, `${path} ${c.name()}`.trim()))]
}
