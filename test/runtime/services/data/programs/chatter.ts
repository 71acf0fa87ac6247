import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../../../../../src/contracts/ask.ts'
import { openClient } from '../../../../../src/runtime/client/index.ts'

// Somebody at another machine: says good morning four times a second, one after the other, until its standard input ends, and prints a line for each.
const ended = new AbortController()
process.stdin.once('end', () => ended.abort()).resume()
const client = await openClient({ env: process.env, signal: AbortSignal.timeout(90 * 60_000) } as Parameters<
  typeof openClient
>[0])
const body = { messages: [{ role: 'user' as const, content: 'good morning' }], kb: [] }
while (!ended.signal.aborted) {
  const [began, at] = [performance.now(), Date.now()]
  const failed = await client.call(ask, { body }).then(
    () => undefined,
    thrown => String(thrown),
  )
  process.stdout.write(`${JSON.stringify({ at, ms: performance.now() - began, failed })}\n`)
  await sleep(250)
}
await client.close()
