import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Body, nameIn } from './body.ts'
import { fetchModel } from './registry.ts'
import { full, type State } from './state.ts'

/** `/api/pull`: what `library` offers. */
export async function pull(state: State, body: Body, res: ServerResponse): Promise<void> {
  const name = nameIn(body)
  if (/^[\w.]+:\d+\//.test(name)) return take(state, name, res)
  const offer = state.standIn.library.get(name)
  const line = (l: object) => res.write(`${JSON.stringify(l)}\n`)
  res.writeHead(200, { 'content-type': 'application/x-ndjson' })
  line({ status: 'pulling manifest' })
  if (!offer)
    return void res.end(`${JSON.stringify({ error: 'pull model manifest: file does not exist' })}\n`)
  const steps = offer.steps ?? 4
  for (let step = 0; step <= steps; step++) {
    // Ollama loads layers side by side, so their lines come mixed.
    for (const { digest, total } of offer.layers) {
      const completed = Math.floor((total * step) / steps)
      line({ status: `pulling ${digest.slice(7, 19)}`, digest, total, ...(step > 0 && { completed }) })
    }
    await sleep(offer.everyMs ?? 1)
    if (res.destroyed) return
  }
  if (offer.error) return void res.end(`${JSON.stringify({ error: offer.error })}\n`)
  for (const status of ['verifying sha256 digest', 'writing manifest']) line({ status })
  state.disk?.make(
    full(name),
    offer.layers.map(({ total }) => total),
  )
  if (!state.models.has(full(name))) state.standIn.set(name)
  res.end(`${JSON.stringify({ status: 'success' })}\n`)
}

/** From a registry that its name says, by the requests that download.go of ollama/ollama makes. */
async function take(state: State, name: string, res: ServerResponse): Promise<void> {
  const line = (l: object) => res.write(`${JSON.stringify(l)}\n`)
  res.writeHead(200, { 'content-type': 'application/x-ndjson' })
  line({ status: 'pulling manifest' })
  try {
    const manifest = await fetchModel(name, {
      has: digest => state.disk!.has(digest),
      put: (digest, bytes) => state.disk!.put(digest, bytes),
      told: (digest, total, completed) =>
        line({ status: `pulling ${digest.slice(7, 19)}`, digest, total, completed }),
      took: bytes => {
        state.standIn.taken += bytes
      },
    })
    state.disk!.write(full(name), manifest)
    state.standIn.set(name)
    res.end(`${JSON.stringify({ status: 'success' })}\n`)
  } catch (thrown) {
    res.end(`${JSON.stringify({ error: String((thrown as Error).message) })}\n`)
  }
}
