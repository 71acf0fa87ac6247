import type { Frame } from '../../contracts/ask.ts'
import type { Turn } from '../../contracts/sessions.ts'
import type { Io } from '../command.ts'

/** The cluster as a conversation needs it. */
export interface Cluster {
  ask(o: { question: string; session: string; model?: string; signal: AbortSignal }): AsyncIterable<Frame>
  /** The newest turns of a session, oldest of them first; undefined when there is no such session. */
  turns(o: { session: string; signal: AbortSignal }): Promise<Turn[] | undefined>
  models(o: { signal: AbortSignal }): Promise<{ names: string[]; default: string }>
  close(): Promise<void>
}

const SHOWN_TURNS = 5

/** The current cluster, asked over its gateway. Throws a Failure when there is none or no key for it. */
export async function openCluster(io: Io, o: { kb?: string[] }): Promise<Cluster> {
  const { openClient } = await import('../../runtime/index.ts')
  const { ask } = await import('../../contracts/ask.ts')
  const { showSession } = await import('../../contracts/sessions.ts')
  const { listModels } = await import('../../contracts/models.ts')
  const client = await openClient(io)
  return {
    ask: ({ signal, ...asked }) =>
      client.lines<Frame>(ask, { body: { ...asked, kb: o.kb, stream: true }, signal }),
    async turns({ session, signal }) {
      try {
        const query = { newest: SHOWN_TURNS }
        return (await client.call(showSession, { params: { id: session }, query, signal })).turns
      } catch (thrown) {
        if (isNotFound(thrown)) return undefined
        throw thrown
      }
    },
    async models({ signal }) {
      const { models, default: chosen } = await client.call(listModels, { signal })
      return { names: models.filter(m => !m.embeds).map(m => m.name), default: chosen }
    },
    close: () => client.close(),
  }
}

const isNotFound = (thrown: unknown) =>
  thrown instanceof Error && (thrown.cause as { status?: number } | undefined)?.status === 404
