import type { Conversation } from './conversation.ts'

interface Slash {
  name: string
  says: string
  run(conversation: Conversation, rest: string): unknown
}

const COMMANDS: Slash[] = [
  { name: 'help', says: '/help         this list', run: c => c.note(help()) },
  {
    name: 'model',
    says: '/model NAME   answer with that model; alone: which there are',
    run(c, rest) {
      if (!rest) return c.showModels()
      c.model = rest
      c.note(`From now on ${rest} answers.`)
    },
  },
  {
    name: 'session',
    says: '/session      how to go on with this conversation',
    run: c => c.note(`llmagentos chat --session ${c.session}`),
  },
  { name: 'new', says: '/new          begin a new conversation', run: c => c.begin() },
  {
    name: 'exit',
    says: '/exit         leave; so do Ctrl-D and Ctrl-C on no text',
    run: c => c.leave(),
  },
]

/** Runs a line that begins with a command of the chat. False: it is a question; a space before `/` makes it one too. */
export function obey(line: string, conversation: Conversation): boolean {
  const [, name, rest] = /^\/([a-z]+)(?:\s+(.*))?$/.exec(line.trimEnd()) ?? []
  if (name === undefined) return false
  const command = COMMANDS.find(c => c.name === name)
  if (command) void command.run(conversation, rest?.trim() ?? '')
  else conversation.note(`There is no /${name}; /help lists what there is.`)
  return true
}

function help(): string {
  return [
    ...COMMANDS.map(c => c.says),
    '',
    'Ctrl-C, Esc   cancel an answer that runs',
    'Ctrl-J        begin a new line; so does Alt-Enter',
    'Up, Down      bring back what was typed before',
  ].join('\n')
}
