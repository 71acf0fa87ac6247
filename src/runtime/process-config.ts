import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { ProcessConfig } from '../contracts/config.ts'
import { EXIT, Failure, reasonOf } from '../errors.ts'
import { withCredentials } from './systemd.ts'

/**
 * What a process runs, from its config file. For `credential:` files `env` has CREDENTIALS_DIRECTORY, as in the unit: /run/credentials/UNIT.
 * Throws Failure (2) for a file that describes no services.
 */
export function readProcessConfig(file: string, env: NodeJS.ProcessEnv): ProcessConfig {
  let config: unknown
  try {
    config = withCredentials(JSON.parse(readFileSync(file, 'utf8')), env)
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown
    throw new Failure(`The config ${file} cannot be read.`, { exit: EXIT.usage, why: reasonOf(thrown) })
  }
  const ajv = new Ajv()
  if (ajv.validate(ProcessConfig, config)) return config as ProcessConfig
  throw new Failure(`The config ${file} is not valid.`, { exit: EXIT.usage, why: ajv.errorsText(ajv.errors) })
}
