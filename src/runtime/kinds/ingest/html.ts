import { convert, type FormatCallback } from 'html-to-text'
import { type Block, MOST_BYTES, type Outline } from './document.ts'
import { unreadable } from './refusals.ts'

/** Marks in the converted text, from the private use area; the same characters in a document are taken out first. */
const HEADING = '\ue000'
const CODE = '\ue001'
const CODE_END = '\ue002'

/** The text of a page as a reader would see it, under its headings; lines of HTML mean nothing to a reader, so there are none. */
export function html(source: string, name: string): Outline {
  const clean = source.replace(/[\ue000-\ue002]/g, '')
  const text = toText(clean, name)
  const titleTag = /<title[^>]*>([\s\S]*?)<\/title\s*>/i.exec(clean)?.[1]
  const title = titleTag && toText(titleTag, name).replace(/\s+/g, ' ').trim()
  const { blocks, firstHeading } = blocksOf(text)
  return { title: title || firstHeading, blocks }
}

function toText(source: string, name: string): string {
  try {
    return convert(source, {
      wordwrap: false,
      limits: { maxInputLength: MOST_BYTES, maxDepth: 500 },
      formatters: { marked, fenced },
      selectors: [
        ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map(selector => ({ selector, format: 'marked' })),
        { selector: 'pre', format: 'fenced' },
        { selector: 'a', options: { ignoreHref: true } },
        { selector: 'img', format: 'skip' },
        ...['nav', 'script', 'style', 'noscript', 'template', 'svg', 'title'].map(selector => ({
          selector,
          format: 'skip',
        })),
        { selector: 'table', format: 'dataTable' },
      ],
    })
  } catch (thrown) {
    if (thrown instanceof RangeError) throw unreadable(name, 'its elements are nested too deeply')
    throw thrown
  }
}

const marked: FormatCallback = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 2 })
  builder.addLiteral(`${HEADING}${element.name?.[1]} `)
  walk(element.children, builder)
  builder.closeBlock({ trailingLineBreaks: 2 })
}

const fenced: FormatCallback = (element, walk, builder) => {
  builder.openBlock({ isPre: true, leadingLineBreaks: 2 })
  builder.addLiteral(`${CODE}\n`)
  walk(element.children, builder)
  builder.addLiteral(`\n${CODE_END}`)
  builder.closeBlock({ trailingLineBreaks: 2 })
}

function blocksOf(text: string): { blocks: Block[]; firstHeading?: string } {
  const blocks: Block[] = []
  let path: { level: number; text: string }[] = []
  let firstHeading: string | undefined
  for (const part of text.split(/(\ue001[\s\S]*?\ue002)|\n{2,}/).filter(p => p?.trim())) {
    const headings = path.map(h => h.text)
    const heading = part.trim().startsWith(HEADING) ? /^\ue000(\d) ([\s\S]*)$/.exec(part.trim()) : undefined
    if (heading) {
      const level = Number(heading[1])
      const words = heading[2]!.replace(/\s+/g, ' ').trim()
      path = path.filter(h => h.level < level)
      if (words) path.push({ level, text: words })
      firstHeading ??= words || undefined
    } else if (part.startsWith(CODE)) {
      const code = part.slice(1, -1).replace(/^\n|\n$/g, '')
      blocks.push({ kind: 'code', text: code, headings })
    } else {
      blocks.push({ kind: /^\s*([*-]|\d+\.) /.test(part) ? 'lines' : 'prose', text: part.trim(), headings })
    }
  }
  return { blocks, firstHeading }
}
