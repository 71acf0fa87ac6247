/** Ports that our services listen on when nothing else is said. One machine: the gateway's alone, on loopback. */
export const PORTS = { gateway: 7420, signer: 7430 } as const
export const OLLAMA_URL = 'http://127.0.0.1:11434'
