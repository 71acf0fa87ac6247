import { describe, expect, test, vi } from 'vitest'
import { newSessionId } from '../../../src/commands/chat/session-id.ts'
import { SESSION_ID } from '../../../src/contracts/ask.ts'
import { runCli } from '../../helpers/cli.ts'
import { keptTurn } from './cluster-stand-in.ts'
import { CTRL_C, CTRL_D, opened } from './opened.ts'

describe('the commands of a chat', () => {
  test('name the model, begin anew, and never reach the cluster as questions', async () => {
    const { terminal, cluster, conversation } = await opened({ columns: 100 })
    const { session } = conversation
    terminal.type('/model\r')
    await terminal.shows("Answering: small, the cluster's default. There are: small, large.")
    terminal.type('/model large\r')
    await terminal.shows('From now on large answers.')
    terminal.type('/session\r')
    await terminal.shows(`llmagentos chat --session ${session}`)
    terminal.type('/new\r')
    await terminal.shows('A new conversation: ')
    terminal.type('/nothing\r')
    await terminal.shows('There is no /nothing; /help lists what there is.')
    terminal.type('/etc/hosts, what is it?\r')
    await vi.waitFor(() => expect(cluster.asked).toHaveLength(1))
    expect(cluster.asked[0]).toMatchObject({ question: '/etc/hosts, what is it?', model: 'large' })
    expect(cluster.asked[0]!.session).not.toBe(session)
    terminal.type(CTRL_C)
    await terminal.shows('Cancelled.')
    terminal.type(CTRL_C)
  })
})

describe('a conversation that is named', () => {
  test('shows its last turns first, and brings its questions back', async () => {
    const turns = [keptTurn(8, 'first?', 'One.'), keptTurn(9, 'second?', 'Two.')]
    const { terminal, conversation } = await opened({ session: 's1', turns })
    expect(terminal.text()).toContain(
      [
        '7 earlier: llmagentos session show s1',
        '',
        '> first?',
        'One.',
        '',
        'Sources:',
        '  [1] docs/guide/nodes.md:5  Nodes',
        '',
        '> second?',
        'Two.',
      ].join('\n'),
    )
    expect(conversation.kept).toBe(true)
    terminal.type('\u001b[A')
    await terminal.shows(/> second\?$/)
    terminal.type(CTRL_C + CTRL_C)
  })

  test('may be new', async () => {
    const { terminal, conversation } = await opened({ session: 's1' })
    expect(terminal.text()).toContain('Conversation s1.')
    expect(conversation.kept).toBe(false)
    terminal.type(CTRL_D)
  })
})

describe('leaving', () => {
  test.each([
    ['Ctrl-C on an empty line', CTRL_C],
    ['Ctrl-D on an empty line', CTRL_D],
    ['/exit', '/exit\r'],
  ])('%s gives the terminal back as it was', async (_, keys) => {
    const { terminal, left } = await opened()
    expect(terminal.stdin.raw).toBe(true)
    terminal.type(keys)
    await left
    expect(terminal.stdin.raw).toBe(false)
    expect(terminal.text().split('\n').at(-1)).not.toMatch(/^>$/)
    expect(terminal.stdout.written).toMatch(/\u001b\[\?2004h[\s\S]*\u001b\[\?2004l$/)
  })

  test('SIGTERM and the end of the input end it too, and cancel what runs', async () => {
    for (const end of ['terminate', 'hang up'] as const) {
      const { terminal, cluster, left } = await opened()
      terminal.type('q\r')
      await terminal.shows('asking ...')
      if (end === 'terminate') terminal.terminate()
      else terminal.stdin.end()
      await left
      await vi.waitFor(() => expect(cluster.cancelled).toEqual(['q']))
    }
  })
})

describe('the command', () => {
  test('refuses what has no terminal and points to ask', async () => {
    const run = await runCli(['chat'], { stdin: 'hello' })
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toMatch(/chat needs a terminal[\s\S]*llmagentos ask/)
    expect((await runCli(['chat', '--json'], { tty: true })).code).toBe(2)
    expect((await runCli(['chat'], { tty: true, env: { CI: 'true' } })).stderr).toContain('where CI is set')
  })

  test('refuses a name that no session can have', async () => {
    const run = await runCli(['chat', '--session', 'a b'], { tty: true })
    expect(run.code).toBe(2)
    expect(run.stderr).toContain('a b cannot be the name of a session.')
  })

  test('says what to do where there is no cluster', async () => {
    const run = await runCli(['chat'], { tty: true })
    expect(run.code).toBe(4)
    expect(run.stderr).toContain('llmagentos cluster up')
  })
})

test('a new session has a name that a person can read and the cluster takes', () => {
  const id = newSessionId(new Date(2026, 0, 31))
  expect(id).toMatch(/^2026-01-31-[a-z2-9]{6}$/)
  expect(id).toMatch(new RegExp(SESSION_ID))
  expect(newSessionId()).not.toBe(newSessionId())
})
