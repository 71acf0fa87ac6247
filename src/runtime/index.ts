/** The door of the agent system: what commands may open. What only the services need is loaded when they start. */
export { Clusters, openClient, openClientOf, readCa, readKey } from './client/index.ts'
export { proveAnswer, proveHealthy } from './client/prove.ts'
export { readSecret } from './client/secret-input.ts'
export { downLocal, LOCAL, upLocal } from './local/index.ts'

export const serveFile: typeof import('./serve-file.ts').serveFile = async o =>
  (await import('./serve-file.ts')).serveFile(o)

export const adminKeyFrom: typeof import('./admin-key-from.ts').adminKeyFrom = async o =>
  (await import('./admin-key-from.ts')).adminKeyFrom(o)

export const readyFrom: typeof import('./ready-from.ts').readyFrom = async o =>
  (await import('./ready-from.ts')).readyFrom(o)

export const serveSigner: typeof import('./certificates/signer/index.ts').serveSigner = async o =>
  (await import('./certificates/signer/index.ts')).serveSigner(o)

export const tendNode: typeof import('./certificates/tend/index.ts').tend = async o =>
  (await import('./certificates/tend/index.ts')).tend(o)

export const migrateStore: typeof import('./services/index.ts').migrateStore = async o =>
  (await import('./services/index.ts')).migrateStore(o)
