import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, Failure, reasonOf } from '../../errors.ts'

/** Parameters from a JSON file and `name=value` words; a value that reads as JSON is taken as such, any other as text. */
export function readParams(o: { pairs?: string[]; file?: string; cwd: string }): object | undefined {
  if (!o.pairs?.length && o.file === undefined) return undefined
  const params: Record<string, unknown> = o.file === undefined ? {} : fromFile(resolve(o.cwd, o.file))
  for (const pair of o.pairs ?? []) {
    const at = pair.indexOf('=')
    if (at < 1)
      throw new Failure(`--param takes name=value, and this is ${pair}.`, {
        exit: EXIT.usage,
        next: `llmagentos task submit --kind summarize --param object=notes.md --param sentences=3`,
      })
    params[pair.slice(0, at)] = readValue(pair.slice(at + 1))
  }
  return params
}

function fromFile(path: string): Record<string, unknown> {
  let read: unknown
  try {
    read = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Failure(`The parameters could not be read from ${path}.`, {
      exit: EXIT.usage,
      why: reasonOf(cause),
      next: 'Write one JSON object into the file, as `task submit --dry-run --json` shows it.',
      cause,
    })
  }
  if (typeof read === 'object' && read !== null && !Array.isArray(read))
    return read as Record<string, unknown>
  throw new Failure(`${path} holds no JSON object.`, {
    exit: EXIT.usage,
    next: 'Write the parameters as one JSON object.',
  })
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
