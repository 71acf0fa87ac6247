import { onTestFinished } from 'vitest'
import { OllamaBackend } from '../../../../../src/runtime/services/worker/backends/ollama/index.ts'
import { Shelf } from '../../../../../src/runtime/services/worker/backends/ollama/shelf.ts'
import {
  type OllamaStandIn,
  type Script,
  startOllamaStandIn,
} from '../../../../helpers/ollama-stand-in/index.ts'

/** The backend, before a stand-in with these models. */
export async function open(
  models: Record<string, Script>,
): Promise<{ ollama: OllamaStandIn; backend: OllamaBackend }> {
  const ollama = await startOllamaStandIn({ models })
  const backend = new OllamaBackend({
    url: ollama.url,
    worker: 'w1',
    shelf: new Shelf(undefined),
    changed: () => {},
  })
  onTestFinished(async () => {
    await backend.close()
    await ollama.stop()
  })
  await backend.refresh()
  return { ollama, backend }
}
