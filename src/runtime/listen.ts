import { chmodSync, rmSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { Address, HostAddress } from '../contracts/config.ts'
import { codeOf, EXIT, Failure } from '../errors.ts'

/** On a unix socket only the owner may connect: the folder is 0700 and the socket 0600. On a host and port the certificate decides. */
export async function listen(app: FastifyInstance, at: Address): Promise<void> {
  if ('host' in at) return listenOn(app, at)
  rmSync(at.socket, { force: true })
  await app.listen({ path: at.socket, backlog: 4096 })
  chmodSync(at.socket, 0o600)
}

async function listenOn(app: FastifyInstance, { host, port }: HostAddress): Promise<void> {
  try {
    await app.listen({ host, port, backlog: 4096 })
  } catch (thrown) {
    if (codeOf(thrown) !== 'EADDRINUSE') throw thrown
    throw new Failure(`Port ${port} of ${host} is taken by another program.`, { exit: EXIT.preflight })
  }
}
