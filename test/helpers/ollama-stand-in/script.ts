/** How one model of the stand-in behaves. Everything is optional: without a script it answers at once. */
export interface Script {
  /** The tokens of every answer; without, it says back what it was asked. */
  tokens?: string[]
  /** Milliseconds before each token but the first. */
  everyMs?: number
  /** Milliseconds to load, when it is not loaded. */
  loadMs?: number
  /** Milliseconds from loaded to the first token. */
  prefillMs?: number
  /** Refuses every request for text or vectors with this. */
  fail?: { status: number; error: string }
  /** Ends with an `error` line after so many tokens, as Ollama does when its runner dies. */
  errorAfter?: number
  /** Ends too early after so many tokens: `clean` without the last message, `line` within a line, `hard` by a reset connection. */
  cutAfter?: { tokens: number; how: 'clean' | 'line' | 'hard' }
  /** Writes a line that is not JSON after so many tokens. */
  garbageAfter?: number
  /** Bytes per write, to split lines and characters anywhere. */
  pieceBytes?: number
  /** Holds answers back until so many are open, then begins them newest first. */
  reorder?: number
  doneReason?: string
  /** Dimensions of its vectors: it is an embedding model. */
  dimensions?: number
  /** As /api/show says them; `null` leaves the field out, as versions before 0.6.4 do. */
  capabilities?: string[] | null
  contextLength?: number
  /** As /api/ps says it of the loaded model. */
  loadedContext?: number
  modified?: string
  /** A model of Ollama's cloud. */
  remoteHost?: string
}
