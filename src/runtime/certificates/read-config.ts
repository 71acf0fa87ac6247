import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import type { Static, TSchema } from 'typebox'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'
import { withCredentials } from '../systemd.ts'

/** A config that `cluster up` wrote. Throws a Failure where it is missing or is none. */
export function readConfig<S extends TSchema>(file: string, schema: S, env: NodeJS.ProcessEnv): Static<S> {
  let config: unknown
  try {
    config = withCredentials(JSON.parse(readFileSync(file, 'utf8')), env)
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown
    throw new Failure(`${file} cannot be read.`, {
      exit: EXIT.usage,
      why: reasonOf(thrown),
      ...(codeOf(thrown) === 'ENOENT' && {
        next: '`cluster up` writes it on the machines of a cluster with our programs.',
      }),
    })
  }
  const ajv = new Ajv()
  if (ajv.validate(schema, config)) return config as Static<S>
  throw new Failure(`${file} is not valid.`, { exit: EXIT.usage, why: ajv.errorsText(ajv.errors) })
}
