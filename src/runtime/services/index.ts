import type { ServiceName } from '../../contracts/identity.ts'
import type { Service } from '../service.ts'

/** Every service, loaded only where it runs. A new one is a folder and a line. */
// biome-ignore lint/suspicious/noExplicitAny: each service knows its own config; serve.ts checks it by the schema
export const services: Partial<Record<ServiceName, () => Promise<Service<any>>>> = {
  data: async () => (await import('./data/index.ts')).data,
  gateway: async () => (await import('./gateway/index.ts')).gateway,
  llm: async () => (await import('./llm/index.ts')).llm,
  worker: async () => (await import('./worker/index.ts')).worker,
  auth: async () => (await import('./auth/index.ts')).auth,
  task: async () => (await import('./task/index.ts')).task,
  executor: async () => (await import('./executor/index.ts')).executor,
}

/** An act of the service data, while it does not run. */
export const migrateStore: typeof import('./data/migrate/file.ts').migrateStore = async o =>
  (await import('./data/migrate/file.ts')).migrateStore(o)
