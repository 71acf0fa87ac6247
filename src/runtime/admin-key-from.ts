import type { Secret } from '../secret.ts'
import { newAdminKey } from './local/admin-key.ts'
import { readProcessConfig } from './process-config.ts'

/** A fresh key of user `admin` from the auth that a config file describes. Throws Failure (2) for a file that describes no auth. */
export const adminKeyFrom = async (o: {
  file: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
}): Promise<Secret> => newAdminKey(readProcessConfig(o.file, o.env), o.signal)
