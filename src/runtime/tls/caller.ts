import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { SpiffeId } from '../identity/spiffe.ts'

/** Whose certificate stands behind a connection, and until when it counts (Unix milliseconds). */
export interface Caller {
  id: SpiffeId
  until: number
}

const callers = new WeakMap<Socket, Caller>()

export function noteCaller(socket: Socket, caller: Caller): void {
  callers.set(socket, caller)
}

export const callerOn = (socket: Socket): Caller | undefined => callers.get(socket)

export const isTls = (socket: Socket): boolean => socket instanceof TLSSocket
