import type { KeyInfo } from '../../../contracts/auth.ts'
import { ROLE_SCOPES } from '../../../contracts/identity.ts'
import type { Hop } from '../../hop.ts'
import { makeKey } from './keys.ts'
import type { Ledger } from './ledger.ts'
import { createUser } from './users.ts'

const FIRST_ADMIN = 'admin'

/**
 * A new admin key for whoever owns the machine: of the user `admin`, made when nobody exists yet, or of another admin when that one was
 * removed or demoted. There always is one, because the last cannot be.
 */
export async function bootstrap(
  ledger: Ledger,
  name: string,
  hop: Hop,
): Promise<{ key: string; info: KeyInfo }> {
  const { sets } = ledger
  if (sets.users.size === 0)
    await createUser(ledger, { name: FIRST_ADMIN, role: 'admin' }, hop).catch(thrown => {
      // Another instance was asked at the same time.
      if (sets.users.size === 0) throw thrown
    })
  const admins = sets.activeAdmins().map(a => a.name)
  const user = admins.includes(FIRST_ADMIN) ? FIRST_ADMIN : admins.sort()[0]!
  return makeKey(ledger, { name, user, grant: { scopes: [...ROLE_SCOPES.admin], limits: {} } }, hop)
}
