import { once } from 'node:events'
import type { Cluster } from '../../../src/commands/chat/cluster.ts'
import type { AskAnswer, Frame } from '../../../src/contracts/ask.ts'
import type { Turn } from '../../../src/contracts/sessions.ts'

type Asked = Parameters<Cluster['ask']>[0]

/** A stand-in for the cluster: each question waits for the frames that the test hands it, and ends as a connection does when it is cancelled. */
export class ClusterStandIn implements Cluster {
  readonly asked: Asked[] = []
  readonly cancelled: string[] = []
  turnsKept?: Turn[]
  failure?: Error
  #frames: (Frame | 'cut')[] = []
  #wake = () => {}

  send(...frames: (Frame | 'cut')[]): void {
    this.#frames.push(...frames)
    this.#wake()
  }

  async *ask(asked: Asked): AsyncGenerator<Frame> {
    this.asked.push(asked)
    if (this.failure) throw this.failure
    asked.signal.addEventListener('abort', () => this.cancelled.push(asked.question))
    for (;;) {
      for (const frame of this.#frames.splice(0)) {
        if (frame === 'cut') return
        yield frame
      }
      await this.#more(asked)
    }
  }

  async turns(): Promise<Turn[] | undefined> {
    if (this.failure) throw this.failure
    return this.turnsKept
  }

  async models(): Promise<{ names: string[]; default: string }> {
    return { names: ['small', 'large'], default: 'small' }
  }

  async close(): Promise<void> {}

  async #more({ signal }: Asked): Promise<void> {
    const woken = new Promise<void>(go => {
      this.#wake = go
    })
    const over = new AbortController()
    const ended = once(signal, 'abort', { signal: over.signal }).then(() => Promise.reject(signal.reason))
    ended.catch(() => {})
    await Promise.race([woken, ended]).finally(() => over.abort())
  }
}

const source = {
  n: 1,
  kb: 'docs',
  document: 'guide/nodes.md',
  title: 'Nodes',
  position: { line: 5 },
  score: 1,
}

export function done(o: Partial<AskAnswer> = {}): Frame {
  const timings = { inputMs: 0, contextMs: 0, firstTokenMs: 0, inferenceMs: 0, outputMs: 0, totalMs: 0 }
  return {
    type: 'done',
    answer: {
      id: 'a1',
      answer: 'all of it',
      sources: [source],
      engine: 'stand-in',
      model: 'small',
      worker: 'w1',
      finish: 'stop',
      usage: { promptTokens: 1, completionTokens: 1 },
      timings,
      stored: true,
      ...o,
    },
  }
}

export function keptTurn(turn: number, question: string, answer: string): Turn {
  return {
    turn,
    saw: turn - 1,
    at: '2026-01-31T12:00:00Z',
    question,
    answer,
    sources: [source],
    engine: 'stand-in',
    model: 'small',
    usage: { promptTokens: 1, completionTokens: 1 },
  }
}
