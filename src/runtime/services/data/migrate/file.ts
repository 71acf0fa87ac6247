import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { StoreConfig } from '../../../../contracts/s3.ts'
import { EXIT, Failure, reasonOf } from '../../../../errors.ts'
import { type Migrated, migrate } from './index.ts'

/** `migrate` into the store that a JSON file names. Throws a Failure (exit 2) where it names none. */
export const migrateStore = (
  o: Omit<Parameters<typeof migrate>[0], 'to'> & { to: string },
): Promise<Migrated> => migrate({ ...o, to: storeIn(o.to) })

function storeIn(file: string): StoreConfig {
  const unusable = (why: string) =>
    new Failure(`The file ${file} names no store.`, {
      exit: EXIT.usage,
      why,
      next: 'Give JSON with {"s3": {...}}, as in the config of the service data.',
    })
  let found: unknown
  try {
    found = JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw unusable(reasonOf(thrown))
  }
  const ajv = new Ajv()
  if (!ajv.validate(StoreConfig, found)) throw unusable(ajv.errorsText(ajv.errors, { dataVar: 'store' }))
  return found as StoreConfig
}
