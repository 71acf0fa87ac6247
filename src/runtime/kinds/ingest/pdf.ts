import { reasonOf } from '../../../errors.ts'
import type { Outline } from './document.ts'
import { unreadable } from './refusals.ts'

/** The text of a PDF, page by page. Throws a Refusal (422) for a broken or encrypted one. */
export async function pdf(bytes: Buffer, name: string): Promise<Outline> {
  const { extractText, getDocumentProxy, getMeta } = await import('unpdf')
  try {
    const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 })
    const { text } = await extractText(document, { mergePages: false })
    const title = await getMeta(document).then(
      meta => (meta.info as { Title?: unknown } | undefined)?.Title,
      () => undefined,
    )
    return {
      title: typeof title === 'string' ? clean(title).trim() : undefined,
      blocks: text.map((page, i) => ({ kind: 'prose', text: clean(page), page: i + 1, headings: [] })),
    }
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'PasswordException')
      throw unreadable(name, 'it is encrypted', 'Save a copy without a password, then add that.')
    throw unreadable(
      name,
      `it is a broken PDF (${reasonOf(thrown)})`,
      'Open it in a viewer and save it anew.',
    )
  }
}

/** Fonts without a proper character map leave control characters behind. */
const clean = (text: string) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
