import { createHash } from 'node:crypto'
import { LARGEST, PAST_NUMBERS } from '../inverted.ts'

/**
 * Where knowledge stands in the store. Everything is created once; the newest version of a thing is the first name of its prefix.
 *
 *     kb/names/own/<owner>/<name>/<inverted n>    a private knowledge base: its id, or that it was removed
 *     kb/names/shared/<name>/<inverted n>         a shared one: its name is taken for everybody
 *     kb/<id>/doc/<document>/<inverted n>         a document: what it is and which content it has, or that it was removed
 *     kb/<id>/content/<version>/<part>            its chunks
 *     kb/<id>/changes/<inverted n>                which documents changed, where several instances share the store
 */
export const NAMES = 'kb/names/'
export const ownNames = (owner: string) => `${NAMES}own/${owner}/`
export const sharedNames = () => `${NAMES}shared/`
export const kbPrefix = (id: string) => `kb/${id}/`
export const documentsOf = (kb: string) => `${kbPrefix(kb)}doc/`
export const documentPrefix = (kb: string, document: string) => `${documentsOf(kb)}${segment(document)}/`
export const contentsOf = (kb: string) => `${kbPrefix(kb)}content/`
export const changesOf = (kb: string) => `${kbPrefix(kb)}changes/`
export const contentPrefix = (kb: string, version: string) => `${contentsOf(kb)}${version}/`

/** The number that a name ends with. */
export const numberOf = (name: string) => LARGEST - Number(name.slice(name.lastIndexOf('/') + 1))

/** After every version of a document, before the next document. */
export const afterDocument = (kb: string, document: string) =>
  `${documentPrefix(kb, document)}${PAST_NUMBERS}`

/** A document's id as one printable segment; long ones keep their beginning, so that lists stay in order, and a digest. */
function segment(id: string): string {
  const text = encodeURIComponent(id)
  if (text.length <= 400) return text
  return `${text.slice(0, 400)}=${createHash('sha256').update(id).digest('hex')}`
}
