import type { Records } from '../../src/runtime/records.ts'

export interface Operation {
  does: 'create' | 'get' | 'list' | 'delete'
  name: string
}

/**
 * Records in memory, with faults. A hook that throws makes the operation fail: `before` without it being done, `after` although it was done.
 * A hook that never returns is a caller that died there.
 */
export class MemoryRecords implements Records {
  readonly stored = new Map<string, Buffer>()
  before?: (op: Operation) => Promise<void> | void
  after?: (op: Operation) => Promise<void> | void

  create(name: string, record: Buffer | object): Promise<'created' | 'exists'> {
    return this.#act({ does: 'create', name }, () => {
      if (this.stored.has(name)) return 'exists'
      this.stored.set(name, Buffer.isBuffer(record) ? record : Buffer.from(JSON.stringify(record)))
      return 'created'
    })
  }

  get(name: string): Promise<Buffer | undefined> {
    return this.#act({ does: 'get', name }, () => this.stored.get(name))
  }

  list(
    prefix: string,
    o: { after?: string; limit: number; values?: boolean },
  ): Promise<{ name: string; value?: Buffer }[]> {
    return this.#act({ does: 'list', name: prefix }, () =>
      [...this.stored.keys()]
        .filter(n => n.startsWith(prefix) && (!o.after || n > o.after))
        .sort()
        .slice(0, o.limit)
        .map(n => ({ name: n, ...(o.values && { value: this.stored.get(n)! }) })),
    )
  }

  delete(name: string): Promise<void> {
    return this.#act({ does: 'delete', name }, () => void this.stored.delete(name))
  }

  names(prefix = ''): string[] {
    return [...this.stored.keys()].filter(n => n.startsWith(prefix)).sort()
  }

  async #act<T>(op: Operation, apply: () => T): Promise<T> {
    await this.before?.(op)
    const result = apply()
    await this.after?.(op)
    return result
  }
}

/** The same numbers for the same seed (mulberry32), from 0 to 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
