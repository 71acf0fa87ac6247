import { createRequire } from 'node:module'
import type * as Lance from '@lancedb/lancedb'
import type * as Arrow from 'apache-arrow'

export type { Lance }

const MIB = 1024n * 1024n

export interface Engine {
  lance: typeof Lance
  arrow: typeof Arrow
  session: Lance.Session
}

let engine: Engine | undefined

/**
 * The index library, loaded at the first search or write: it costs about 150 ms and 40 MiB, which a cluster without knowledge saves.
 * `require` and not `import`, so that we and LanceDB share one copy of apache-arrow. Its caches default to 7 GiB; ours are small because the
 * operating system's page cache holds the files anyway.
 */
export function loadEngine(): Engine {
  if (!engine) {
    const load = createRequire(import.meta.url)
    const lance: typeof Lance = load('@lancedb/lancedb')
    const arrow: typeof Arrow = load('apache-arrow')
    engine = { lance, arrow, session: new lance.Session(16n * MIB, 16n * MIB) }
  }
  return engine
}
