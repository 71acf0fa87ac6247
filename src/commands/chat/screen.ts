import { harmless, wrapped } from './cells.ts'
import { type Editor, emptyEditor } from './editor.ts'

/** What stands above the input and changes no more; its lines end where the screen ended when it came. */
export interface Item {
  kind: 'question' | 'answer' | 'sources' | 'note' | 'error'
  text: string
}

export interface Picture {
  items: Item[]
  editor: Editor
  /** What is waited for now, and the end of an answer that comes, whose last line may still grow. */
  running?: { says: string; line?: string }
  left: boolean
}

/** What a conversation looks like, one picture after the other, for whoever paints them. */
export class Screen {
  readonly #columns: () => number
  readonly #listeners = new Set<() => void>()
  #picture: Picture = { items: [], editor: emptyEditor, left: false }

  /** `columns` tells the width of the terminal now, in cells. */
  constructor(columns: () => number) {
    this.#columns = columns
  }

  readonly picture = (): Picture => this.#picture

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  show(change: Partial<Picture>): void {
    this.#picture = { ...this.#picture, ...change }
    for (const listener of this.#listeners) listener()
  }

  add(kind: Item['kind'], raw: string): void {
    const columns = this.#columns() - (kind === 'question' ? 2 : 0)
    const lines = wrapped(harmless(raw), columns).map(line => line.trimEnd())
    this.show({ items: [...this.#picture.items, { kind, text: lines.join('\n') }] })
  }

  waits(says: string): void {
    const { running } = this.#picture
    if (running?.says !== says) this.show({ running: { ...running, says } })
  }

  /** Full lines move up for good, so that what is painted anew stays small however long the answer is. Empty ones wait for more. */
  grow(text: string): void {
    const lines = wrapped((this.#picture.running?.line ?? '') + harmless(text), this.#columns())
    const full = lines.slice(0, -1).findLastIndex(line => line.trim() !== '') + 1
    if (full > 0) this.add('answer', lines.slice(0, full).join('\n'))
    this.show({ running: { says: 'answering', line: lines.slice(full).join('\n') } })
  }

  /** Ends an answer: its last line moves up too. */
  settle(): void {
    const line = this.#picture.running?.line
    if (line === undefined) return
    if (line.trim()) this.add('answer', line.trimEnd())
    this.show({ running: { says: 'ending' } })
  }
}
