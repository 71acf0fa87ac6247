import type { StoreConfig } from '../../../../contracts/s3.ts'
import type { Log } from '../../../../log.ts'
import type { ObjectStore } from './store.ts'

/** The store that the config names; each kind is loaded only where it is used. */
export async function openStore(config: StoreConfig, o: { log: Log }): Promise<ObjectStore> {
  if ('embedded' in config) return (await import('./embedded.ts')).openEmbedded(config.embedded)
  return (await import('./s3/index.ts')).openS3(config.s3, o)
}
