import type { SubmitTask, Understood } from '../../../contracts/tasks.ts'
import { namesOf, wrongWith } from '../../kinds/check.ts'
import type { Kind } from '../../kinds/kind.ts'
import { readByRules, sayUnderstood } from '../../kinds/parse.ts'
import { badRequest } from '../../refusal.ts'

interface Asked {
  body: SubmitTask
  kinds: ReadonlyMap<string, Kind>
  /** Undefined: no model could read it in time. */
  byModel(text: string): Promise<Pick<Understood, 'kind' | 'params'> | undefined>
}

/** What a submit means: as given, by the model where there is one, else by rules; refused when its parameters do not fit the kind. */
export async function understand(o: Asked): Promise<Understood> {
  const { text, kind: named, params = {} } = o.body
  if (named) {
    const kind = kindOf(o.kinds, named)
    const read = text === undefined ? {} : fromWords(kind, text)
    return checked(kind, { ...read, ...params }, 'given')
  }
  if (text === undefined || !text.trim())
    throw badRequest('There is neither text nor kind.', 'Say what to do, or name a kind with its params.')
  const byModel = await o.byModel(text)
  const read = byModel ?? readByRules(text, o.kinds.values())
  if (!read)
    throw badRequest('The text could not be read as any kind of task.', `Name one: ${list(o.kinds)}.`)
  return checked(kindOf(o.kinds, read.kind), { ...read.params, ...params }, byModel ? 'model' : 'rules')
}

function kindOf(kinds: ReadonlyMap<string, Kind>, name: string): Kind {
  const kind = kinds.get(name)
  if (!kind) throw badRequest(`There is no kind of task named ${name}.`, `There are: ${list(kinds)}.`)
  return kind
}

function fromWords(kind: Kind, text: string): object {
  const read = kind.read?.(text.trim())
  if (!read)
    throw badRequest(
      `The kind ${kind.name} takes no parameters from plain words.`,
      `Give them one by one: ${namesOf(kind).join(', ')}.`,
    )
  return read.params as object
}

function checked(kind: Kind, params: object, by: Understood['by']): Understood {
  const wrong = wrongWith(kind, params)
  if (wrong)
    throw badRequest(`This does not fit the kind ${kind.name}: ${wrong}.`, `Example: ${example(kind)}`)
  return { kind: kind.name, params, by, says: sayUnderstood(kind, params) }
}

const list = (kinds: ReadonlyMap<string, Kind>) => [...kinds.keys()].join(', ')
const example = (kind: Kind) => JSON.stringify(kind.examples[0]?.params ?? {})
