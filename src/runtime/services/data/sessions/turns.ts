import { randomUUID } from 'node:crypto'
import type { Message } from '../../../../contracts/ask.ts'
import type { Turn } from '../../../../contracts/sessions.ts'
import { inverted, PAST_NUMBERS } from '../inverted.ts'
import type { ObjectStore } from '../store/store.ts'
import { trimmed } from './window.ts'

/** A turn as its record holds it: with what the next question needs, and the words that the session is known by. */
export interface StoredTurn extends Turn {
  window: Message[]
  title: string
}

const TITLE_CHARS = 80
/** So many turns of parallel questions are looked through for one's own; more never wait for each other. */
const OWN_SEARCH = 256

/** The turns of one user's sessions: `sess/<user>/<id>/<inverted turn>`, each written once. */
export class Turns {
  readonly #store: ObjectStore
  readonly #space: string

  constructor(store: ObjectStore, user: string) {
    this.#store = store
    this.#space = `sess/${user}/`
  }

  async newest(id: string): Promise<StoredTurn | undefined> {
    const [found] = await this.#store.list(this.#folder(id), { limit: 1, values: true })
    return found && read(found)
  }

  /**
   * Stores a turn under the number after the one that its asker saw, or the next that is free. A repeat by the same `writer` finds its
   * own and changes nothing. When the session was removed meanwhile it begins anew, without the history that was removed.
   */
  async append(
    id: string,
    turn: Omit<StoredTurn, 'turn' | 'title'>,
    writer: string = randomUUID(),
  ): Promise<number> {
    const seen = turn.saw > 0 ? await this.#read(id, turn.saw) : undefined
    const gone = turn.saw > 0 && !seen
    const kept = gone
      ? { ...turn, saw: 0, window: trimmed(ownOf(turn)) }
      : { ...turn, window: trimmed(turn.window) }
    const title = seen?.title ?? (await this.newest(id))?.title ?? titleOf(turn.question)
    let n = kept.saw + 1
    for (;;) {
      const record = Buffer.from(JSON.stringify({ turn: n, ...kept, title } satisfies StoredTurn))
      const end = await this.#store.create(this.#folder(id) + inverted(n), record, writer)
      if (end.created || end.writer === writer) return n
      n = n < kept.saw + OWN_SEARCH ? n + 1 : Math.max(n, (await this.newest(id))?.turn ?? 0) + 1
    }
  }

  /** Turns after `after`, oldest first, at most `limit`. */
  async page(id: string, o: { after: number; limit: number }): Promise<StoredTurn[]> {
    const found = await this.#store.list(this.#folder(id), {
      after: this.#folder(id) + inverted(o.after + o.limit + 1),
      limit: o.limit,
      values: true,
    })
    return found
      .map(read)
      .filter(t => t.turn > o.after)
      .reverse()
  }

  /** The newest turn of every session: one LIST of one key for each, whatever their length. */
  async *heads(): AsyncGenerator<{ id: string; newest: StoredTurn }> {
    for (let after: string | undefined; ; ) {
      const [found] = await this.#store.list(this.#space, { after, limit: 1, values: true })
      if (!found) return
      const id = found.name.slice(this.#space.length, found.name.lastIndexOf('/'))
      yield { id, newest: read(found) }
      after = this.#folder(id) + PAST_NUMBERS
    }
  }

  /** Newest first, so that the numbers of what is left stay without a gap. */
  async remove(id: string): Promise<number> {
    for (let removed = 0; ; ) {
      const page = await this.#store.list(this.#folder(id), { limit: 1000 })
      if (page.length === 0) return removed
      await Promise.all(page.map(r => this.#store.delete(r.name)))
      removed += page.length
    }
  }

  async #read(id: string, turn: number): Promise<StoredTurn | undefined> {
    const value = await this.#store.get(this.#folder(id) + inverted(turn))
    return value && read({ value })
  }

  #folder(id: string): string {
    return `${this.#space}${id}/`
  }
}

const ownOf = (turn: { question: string; answer: string }): Message[] => [
  { role: 'user', content: turn.question },
  { role: 'assistant', content: turn.answer },
]

const titleOf = (question: string) => question.replace(/\s+/g, ' ').trim().slice(0, TITLE_CHARS)

const read = (found: { value?: Buffer }) => JSON.parse(found.value!.toString()) as StoredTurn
