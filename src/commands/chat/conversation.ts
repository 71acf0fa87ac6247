import type { AskAnswer } from '../../contracts/ask.ts'
import type { Turn } from '../../contracts/sessions.ts'
import { reasonOf } from '../../errors.ts'
import { sourceLine, stateText } from '../answer.ts'
import type { Cluster } from './cluster.ts'
import { cleared, edited, taken } from './editor.ts'
import type { Key } from './keys.ts'
import { Screen } from './screen.ts'
import { newSessionId } from './session-id.ts'
import { obey } from './slash.ts'

interface Options {
  cluster: Cluster
  session?: string
  model?: string
  /** The width of the terminal now, in cells. */
  columns(): number
}

/** A conversation at a terminal: keys in, pictures out. Whatever goes wrong with a question becomes a line of it. */
export class Conversation {
  readonly screen: Screen
  session: string
  model?: string
  /** True when the cluster keeps a turn of the session, so that one may go on with it. */
  kept = false
  readonly #cluster: Cluster
  readonly #named: boolean
  #work?: AbortController

  constructor(o: Options) {
    this.screen = new Screen(o.columns)
    this.session = o.session ?? newSessionId()
    this.model = o.model
    this.#named = o.session !== undefined
    this.#cluster = o.cluster
  }

  /** Shows what was said before in a session that was named, and how to begin. */
  async open(): Promise<void> {
    if (this.#named) await this.#run('reading the conversation', signal => this.#recall(signal))
    const gap = this.screen.picture().items.length > 0 ? '\n' : ''
    this.note(`${gap}Conversation ${this.session}. Type a question; /help says what else.`)
  }

  press(key: Key): void {
    const { editor, running } = this.screen.picture()
    if (key.name === 'interrupt') this.#interrupt()
    else if (key.name === 'escape') this.#work?.abort()
    else if (key.name === 'end-of-input' && !editor.text) this.leave()
    else if (key.name === 'end-of-input') this.#edit({ name: 'delete' })
    else if (key.name !== 'enter') this.#edit(key)
    else if (!running) this.#submit(editor.text)
  }

  leave(): void {
    this.#work?.abort()
    this.screen.show({ left: true })
  }

  note(text: string): void {
    this.screen.add('note', text)
  }

  /** Goes on under a new id, as a conversation that knows nothing of this one. */
  begin(): void {
    this.session = newSessionId()
    this.kept = false
    this.note(`A new conversation: ${this.session}.`)
  }

  async showModels(): Promise<void> {
    await this.#run('listing the models', async signal => {
      const models = await this.#cluster.models({ signal })
      const now = this.model ?? `${models.default}, the cluster's default`
      this.note(`Answering: ${now}. There are: ${models.names.join(', ')}.`)
    })
  }

  #edit(key: Key): void {
    this.screen.show({ editor: edited(this.screen.picture().editor, key) })
  }

  #interrupt(): void {
    const { editor, running } = this.screen.picture()
    if (running) this.#work?.abort()
    else if (editor.text) this.screen.show({ editor: cleared(editor) })
    else this.leave()
  }

  #submit(text: string): void {
    if (!text.trim()) return
    this.screen.show({ editor: taken(this.screen.picture().editor) })
    this.screen.add('question', text.trim())
    if (!obey(text, this)) void this.#run('asking', signal => this.#ask(text.trim(), signal))
  }

  async #ask(question: string, signal: AbortSignal): Promise<void> {
    const { session, model } = this
    let streamed = false
    for await (const frame of this.#cluster.ask({ question, session, model, signal })) {
      if (frame.type === 'state') this.screen.waits(stateText(frame))
      if (frame.type === 'text') {
        this.screen.grow(frame.text)
        streamed = true
      }
      if (frame.type === 'error') return this.#fail(frame.error.message, frame.error.next)
      if (frame.type === 'done') {
        if (!streamed) this.screen.grow(frame.answer.answer)
        return this.#finish(frame.answer)
      }
    }
    this.#fail('The answer was cut.', 'Try again; `llmagentos cluster status` says how the cluster is.')
  }

  #finish({ sources, finish, notes, stored }: AskAnswer): void {
    this.screen.settle()
    this.#sources(sources)
    if (finish === 'length') this.note('The answer ends here because it reached its length limit.')
    if (finish === 'filtered') this.note('A filter held back parts of the answer.')
    for (const note of notes ?? []) this.note(note)
    if (stored === false) this.note('The turn could not be stored in the conversation yet.')
    this.kept ||= stored !== false
  }

  async #recall(signal: AbortSignal): Promise<void> {
    const turns = await this.#cluster.turns({ session: this.session, signal })
    this.kept = turns !== undefined
    const before = (turns?.[0]?.turn ?? 1) - 1
    if (before > 0) this.note(`${before} earlier: llmagentos session show ${this.session}`)
    for (const turn of turns ?? []) {
      this.screen.add('question', turn.question)
      this.screen.add('answer', turn.answer)
      this.#sources(turn.sources)
    }
    const { editor } = this.screen.picture()
    this.screen.show({ editor: { ...editor, past: (turns ?? []).map(t => t.question) } })
  }

  /** One thing at a time; it may be cancelled, and its failure is a line of the conversation. */
  async #run(says: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController()
    this.#work = controller
    this.screen.show({ running: { says } })
    try {
      await work(controller.signal)
    } catch (thrown) {
      if (!controller.signal.aborted) this.#fail(reasonOf(thrown), (thrown as { next?: string }).next)
      else {
        this.screen.settle()
        this.note('Cancelled.')
      }
    } finally {
      this.#work = undefined
      this.screen.show({ running: undefined })
    }
  }

  #sources(sources: Turn['sources']): void {
    if (sources.length > 0)
      this.screen.add('sources', ['Sources:', ...sources.map(s => `  ${sourceLine(s)}`)].join('\n'))
  }

  #fail(message: string, next?: string): void {
    this.screen.settle()
    this.screen.add('error', `error: ${message}${next ? ` ${next}` : ''}`)
  }
}
