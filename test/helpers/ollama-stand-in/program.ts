import { startOllamaStandIn } from './index.ts'

/** The stand-in as a program of its own, started like `ollama serve`. Its library has one model, `tiny`, of 20 MB. */
const [verb, version] = process.argv.slice(2)
if (verb !== 'serve') throw new Error(`the stand-in for Ollama knows no ${verb}`)
const port = Number(process.env['OLLAMA_HOST']?.split(':').at(-1))
const standIn = await startOllamaStandIn({ port, version, folder: process.env['OLLAMA_MODELS'] })
standIn.library.set('tiny', { layers: [{ digest: `sha256:${'1'.repeat(64)}`, total: 20_000_000 }] })
