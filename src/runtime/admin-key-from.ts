import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { ProcessConfig } from '../contracts/config.ts'
import { EXIT, Failure, reasonOf } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { newAdminKey } from './local/admin-key.ts'

/** A fresh key of user `admin` from the services that a config file describes. Throws Failure (2) for a file that describes none. */
export async function adminKeyFrom(o: { file: string; signal: AbortSignal }): Promise<Secret> {
  const config = read(o.file)
  if (new Ajv().validate(ProcessConfig, config) && (config as ProcessConfig).services.length > 0)
    return newAdminKey(config as ProcessConfig, o.signal)
  throw new Failure(`The config ${o.file} is not valid.`, { exit: EXIT.usage })
}

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw new Failure(`The config ${file} cannot be read.`, { exit: EXIT.usage, why: reasonOf(thrown) })
  }
}
