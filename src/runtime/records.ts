import type { Hop } from './hop.ts'

/** The records of the store as the other services see them: over HTTP at the data service, within their own prefixes. */
export interface Records {
  /** Create-once and durable. Repeats itself after an unknown outcome and recognises its own record. */
  create(name: string, record: Buffer | object, hop: Hop): Promise<'created' | 'exists'>
  get(name: string, hop: Hop): Promise<Buffer | undefined>
  /** In name order, each greater than `after`. */
  list(
    prefix: string,
    o: { after?: string; limit: number; values?: boolean },
    hop: Hop,
  ): Promise<{ name: string; value?: Buffer }[]>
  delete(name: string, hop: Hop): Promise<void>
}
