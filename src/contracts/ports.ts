import type { ServiceName } from './identity.ts'

/** Ports that our services listen on when nothing else is said. One machine: the gateway's alone, on loopback. */
export const PORTS = { gateway: 7420, signer: 7430 } as const

/** Where services listen for each other across machines, under mutual TLS. */
export const SERVICE_PORTS = {
  gateway: 7421,
  auth: 7422,
  llm: 7423,
  task: 7424,
  data: 7425,
  executor: 7426,
  worker: 7427,
} as const satisfies Record<ServiceName, number>

export const OLLAMA_URL = 'http://127.0.0.1:11434'
