import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { ProcessConfig } from '../contracts/config.ts'
import { EXIT, Failure, reasonOf } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { newAdminKey } from './local/admin-key.ts'
import { withCredentials } from './systemd.ts'

/**
 * A fresh key of user `admin` from the auth that a config file describes. For `credential:` files `env` has CREDENTIALS_DIRECTORY, as in the
 * unit: /run/credentials/UNIT. Throws Failure (2) for a file that describes no auth.
 */
export async function adminKeyFrom(o: {
  file: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
}): Promise<Secret> {
  const config = read(o.file, o.env)
  if (new Ajv().validate(ProcessConfig, config) && (config as ProcessConfig).services.length > 0)
    return newAdminKey(config as ProcessConfig, o.signal)
  throw new Failure(`The config ${o.file} is not valid.`, { exit: EXIT.usage })
}

function read(file: string, env: NodeJS.ProcessEnv): unknown {
  try {
    return withCredentials(JSON.parse(readFileSync(file, 'utf8')), env)
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown
    throw new Failure(`The config ${file} cannot be read.`, { exit: EXIT.usage, why: reasonOf(thrown) })
  }
}
