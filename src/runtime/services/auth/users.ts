import type { UserInfo } from '../../../contracts/auth.ts'
import type { Role } from '../../../contracts/identity.ts'
import type { Hop } from '../../hop.ts'
import { notFound, Refusal } from '../../refusal.ts'
import type { Ledger } from './ledger.ts'
import { names, type UserRecord, userInfo } from './sets.ts'

/** Makes a user. 409 when the name is taken, also by one that was removed: what it stored would come to another person. */
export async function createUser(
  ledger: Ledger,
  o: { name: string; role: Role },
  hop: Hop,
): Promise<UserInfo> {
  const record: UserRecord = { ...o, version: 1, created: new Date().toISOString() }
  const there = ledger.sets.users.get(o.name)
  if (there) throw taken(there)
  const outcome = await ledger.create(names.user(o.name, 1), record, hop)
  if (outcome === 'exists') throw taken(ledger.sets.users.get(o.name)!)
  return userInfo(record)
}

export function listUsers(ledger: Ledger): UserInfo[] {
  return [...ledger.sets.users.values()].map(userInfo).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Existing keys follow at their next exchange. 409 when nobody would be admin any more. */
export async function setRole(ledger: Ledger, name: string, role: Role, hop: Hop): Promise<UserInfo> {
  const user = present(ledger, name)
  if (user.role === role) return userInfo(user)
  if (user.role === 'admin') keepOneAdmin(ledger, user, 'demoted')
  const record = await nextVersion(ledger, { ...user, role }, hop)
  ledger.feed.changed(ledger.sets.keysOf(name))
  return userInfo(record)
}

/** Revokes all its keys with it; answers how many still counted. 409 for the last admin. */
export async function removeUser(ledger: Ledger, name: string, hop: Hop): Promise<number> {
  const user = present(ledger, name)
  keepOneAdmin(ledger, user, 'removed')
  const live = ledger.sets.keysOf(name).filter(id => !ledger.sets.revoked.has(id))
  await nextVersion(ledger, { ...user, removed: new Date().toISOString() }, hop)
  ledger.feed.revoked(live)
  return live.length
}

function present(ledger: Ledger, name: string): UserRecord {
  const user = ledger.sets.users.get(name)
  if (!user || user.removed) throw notFound(`user ${name}`, '`llmagentos user list` shows who there is.')
  return user
}

function keepOneAdmin(ledger: Ledger, user: UserRecord, what: string): void {
  const others = ledger.sets.activeAdmins().filter(a => a.name !== user.name)
  if (others.length === 0 && user.role === 'admin')
    throw new Refusal(409, 'last_admin', `${user.name} is the last admin and cannot be ${what}.`, {
      next: 'Make another user admin first: `llmagentos user set-role NAME admin`.',
    })
}

async function nextVersion(ledger: Ledger, user: UserRecord, hop: Hop): Promise<UserRecord> {
  const record = { ...user, version: user.version + 1 }
  const outcome = await ledger.create(names.user(user.name, record.version), record, hop)
  if (outcome === 'created') return record
  // An earlier change whose answer was lost is there; it counts from now on, and whoever asked decides anew.
  ledger.feed.restart()
  throw new Refusal(409, 'changed', `The user ${user.name} was changed in the meantime.`, {
    next: 'Look at it with `llmagentos user list`, then repeat the change.',
  })
}

const taken = (user: UserRecord) =>
  new Refusal(
    409,
    'exists',
    `The name ${user.name} is taken${user.removed ? ' by a user that was removed' : ''}.`,
    {
      next: 'Choose another name.',
    },
  )
