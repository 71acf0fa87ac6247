import { EXIT, Failure } from '../../errors.ts'
import { Secret } from '../../secret.ts'

/** What a recovery file holds. */
export interface Recovered {
  cluster: string
  secrets: Map<string, Secret>
}

const NAME = /^[a-z0-9](-?[a-z0-9])*$/

/** Reads what was decrypted. Throws Failure (2), which quotes nothing of it. */
export function recoveredFrom(text: Secret, file: string): Recovered {
  const found = parsed(text)
  const { format, cluster, secrets } = found ?? {}
  if (format !== 1 || typeof cluster !== 'string' || typeof secrets !== 'object' || secrets === null)
    throw useless(file, 'what it holds is not what `cluster up` writes')
  const entries = Object.entries(secrets).map(([name, value]) => {
    if (!NAME.test(name)) throw useless(file, 'a secret in it has a name that cannot be')
    if (typeof value !== 'string' || value === '') throw useless(file, `the secret ${name} in it is no text`)
    return [name, new Secret(value)] as const
  })
  return { cluster, secrets: new Map(entries) }
}

function parsed(text: Secret): { format?: unknown; cluster?: unknown; secrets?: unknown } | undefined {
  try {
    return JSON.parse(text.reveal()) ?? undefined
  } catch {
    return undefined
  }
}

const useless = (file: string, why: string) =>
  new Failure(`${file} is no recovery file of ours.`, { exit: EXIT.usage, why })
