import type { Block, Outline } from './document.ts'

const FENCE = /^\s*(`{3,}|~{3,})/
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/
const LIST_OR_TABLE = /^\s*(?:[-*+] |\d{1,9}[.)] |>|\|)/

/** The blocks of a Markdown text under their headings. Lines count from 1; the text of a block is the text of its lines. */
export function markdown(text: string): Outline {
  const reader = new Reader(text.split('\n'))
  return reader.read()
}

class Reader {
  readonly #lines: string[]
  readonly #blocks: Block[] = []
  #title?: string
  #path: { level: number; text: string; line: number; used: boolean }[] = []
  #open: { line: number; lines: string[] } | undefined

  constructor(lines: string[]) {
    this.#lines = lines
  }

  read(): Outline {
    let at = this.#frontMatter()
    while (at < this.#lines.length) at = this.#next(at)
    this.#close()
    this.#leaveTo(0)
    return { title: this.#title, blocks: this.#blocks }
  }

  /** Reads what begins at line index `at`; returns where the next thing begins. */
  #next(at: number): number {
    const line = this.#lines[at]!
    const fence = FENCE.exec(line)?.[1]
    if (fence) {
      this.#close()
      const end = this.#endOfFence(at, fence)
      this.#add('code', at, this.#lines.slice(at, end))
      return end
    }
    if (line.trim() === '') {
      this.#close()
      return at + 1
    }
    const heading = HEADING.exec(line)
    if (heading) {
      this.#close()
      this.#enter(heading[1]!.length, heading[2] ?? '', at)
      return at + 1
    }
    const underline = UNDERLINE.exec(line)?.[1]
    if (underline && this.#open && !LIST_OR_TABLE.test(this.#open.lines[0]!)) {
      const { lines, line: first } = this.#open
      this.#open = undefined
      this.#enter(underline[0] === '=' ? 1 : 2, lines.join(' '), first)
      return at + 1
    }
    if (RULE.test(line)) {
      this.#close()
      return at + 1
    }
    this.#open ??= { line: at, lines: [] }
    this.#open.lines.push(line)
    return at + 1
  }

  /** YAML between `---` lines at the top: only its title is of use. */
  #frontMatter(): number {
    if (this.#lines[0]?.trimEnd() !== '---') return 0
    const end = this.#lines.findIndex((l, i) => i > 0 && /^(---|\.\.\.)\s*$/.test(l))
    const body = this.#lines.slice(1, end)
    if (end < 0 || !body.every(l => /^(\s|#|-|[\w.-]+\s*:|$)/.test(l))) return 0
    const title = body.map(l => /^title\s*:\s*(.+)$/.exec(l)?.[1]).find(Boolean)
    this.#title = title?.trim().replace(/^(['"])(.*)\1$/, '$2')
    return end + 1
  }

  #endOfFence(at: number, fence: string): number {
    const close = new RegExp(`^\\s*\\${fence[0]}{${fence.length},}\\s*$`)
    const end = this.#lines.findIndex((l, i) => i > at && close.test(l))
    return end < 0 ? this.#lines.length : end + 1
  }

  #enter(level: number, raw: string, at: number): void {
    const text = plain(raw)
    this.#leaveTo(level)
    if (text === '') return
    if (this.#title === undefined && level === 1) this.#title = text
    this.#path.push({ level, text, line: at, used: false })
  }

  /** A heading with nothing under it is text of its own, or it would be lost. */
  #leaveTo(level: number): void {
    const staying = this.#path.filter(h => h.level < level)
    const left = this.#path.at(-1)
    if (left && !left.used && left.level >= level) {
      const { line } = left
      const headings = this.#path.map(h => h.text)
      this.#blocks.push({ kind: 'prose', text: this.#lines[line]!.trim(), line: line + 1, headings })
    }
    this.#path = staying
  }

  #close(): void {
    if (!this.#open) return
    const { line, lines } = this.#open
    this.#open = undefined
    const indented = lines.every(l => /^( {4}|\t)/.test(l)) && !this.#followsList()
    this.#add(indented ? 'code' : LIST_OR_TABLE.test(lines[0]!) ? 'lines' : 'prose', line, lines)
  }

  #followsList(): boolean {
    const last = this.#blocks.at(-1)
    return last !== undefined && LIST_OR_TABLE.test(last.text)
  }

  #add(kind: Block['kind'], line: number, lines: string[]): void {
    for (const h of this.#path) h.used = true
    this.#blocks.push({ kind, text: lines.join('\n'), line: line + 1, headings: this.#path.map(h => h.text) })
  }
}

/** A heading without its markup. */
function plain(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(`+|\*\*|__)(.+?)\1/g, '$2')
    .trim()
}
