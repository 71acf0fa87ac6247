import type { Block, Outline } from './document.ts'

/** Plain text: what blank lines separate. */
export function plainText(text: string): Outline {
  const blocks: Block[] = []
  let open: { line: number; lines: string[] } | undefined
  const close = () => {
    if (open) blocks.push({ kind: 'prose', text: open.lines.join('\n'), line: open.line, headings: [] })
    open = undefined
  }
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') {
      close()
      continue
    }
    open ??= { line: i + 1, lines: [] }
    open.lines.push(line)
  }
  close()
  return { blocks }
}
