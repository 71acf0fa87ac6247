import type { ServerResponse } from 'node:http'
import type { Script } from './script.ts'

/** Whether the answer was brought to its scripted bad end. */
export async function spoil(script: Script, sent: number, res: ServerResponse): Promise<boolean> {
  if (script.garbageAfter === sent) res.write('this is not JSON\n')
  if (script.errorAfter === sent) {
    res.end(`${JSON.stringify({ error: 'an error was encountered while running the model' })}\n`)
    return true
  }
  if (script.cutAfter?.tokens !== sent) return false
  if (script.cutAfter.how === 'clean') res.end()
  else if (script.cutAfter.how === 'line') res.end('{"model":"m","mess')
  else {
    // What was written is on its way first: the reset then cuts the stream behind it.
    await new Promise(resolve => res.write('', resolve))
    res.socket?.resetAndDestroy()
  }
  return true
}
