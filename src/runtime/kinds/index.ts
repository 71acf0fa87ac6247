import type { Kind } from './kind.ts'

/** Every kind of task, loaded where it is needed. A new one is a file and a line. */
// biome-ignore lint/suspicious/noExplicitAny: each kind knows its own parameters, which are checked by its schema before it runs
const kinds: Record<string, () => Promise<Kind<any>>> = {
  qa: async () => (await import('./qa.ts')).qa,
  generate: async () => (await import('./generate.ts')).generate,
  summarize: async () => (await import('./summarize.ts')).summarize,
  classify: async () => (await import('./classify.ts')).classify,
  extract: async () => (await import('./extract.ts')).extract,
  code: async () => (await import('./code.ts')).code,
  embed: async () => (await import('./embed.ts')).embed,
  ingest: async () => (await import('./ingest/kind.ts')).ingest,
}

/** Undefined when there is no such kind. */
export const loadKind = async (name: string): Promise<Kind | undefined> =>
  Object.hasOwn(kinds, name) ? kinds[name]!() : undefined

export const loadKinds = (): Promise<Kind[]> => Promise.all(Object.values(kinds).map(load => load()))
