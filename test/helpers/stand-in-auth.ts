import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { exchangeTask } from '../../src/contracts/auth.ts'
import type { SocketAddress } from '../../src/contracts/config.ts'
import { silent } from '../../src/log.ts'
import { Metrics } from '../../src/runtime/metrics.ts'
import { Refusal } from '../../src/runtime/refusal.ts'
import { buildApp } from '../../src/runtime/server/app.ts'
import { handle } from '../../src/runtime/server/handle.ts'

/** A stand-in for auth: gives an executor the token it asks for, or refuses as it is told. */
export interface StandInAuth {
  address: SocketAddress
  /** Set: what every exchange is refused with. */
  refusal?: Refusal
  /** How long its tokens live, milliseconds. */
  lives: number
  given: number
  /** Set: what the next answers wait for. */
  hold?: Promise<void>
  asked: number
}

export async function standInAuth(folder: string): Promise<StandInAuth> {
  const auth: StandInAuth = {
    address: { socket: join(folder, 'auth.sock') },
    lives: 60_000,
    given: 0,
    asked: 0,
  }
  const app = buildApp({ log: silent, metrics: new Metrics('auth') })
  const nobody = async () => {
    throw new Refusal(401, 'bad_token', 'The stand-in knows no tokens.')
  }
  handle(app, exchangeTask, nobody, async ({ body }) => {
    auth.asked++
    await auth.hold
    if (auth.refusal) throw auth.refusal
    auth.given++
    return { token: `${body.user} ${auth.given}`, expiresAt: Date.now() + auth.lives }
  })
  await app.listen({ path: auth.address.socket })
  onTestFinished(() => app.close())
  return auth
}
