import type { UserInfo } from '../../../contracts/auth.ts'
import type { Role } from '../../../contracts/identity.ts'
import type { Hop } from '../../hop.ts'
import { notFound, Refusal } from '../../refusal.ts'
import type { Ledger } from './ledger.ts'
import { names, type UserRecord, userInfo } from './sets.ts'

/** Tries to be the next of several instances that end an admin. */
const MOST_TURNS = 100

/** Makes a user. 409 when the name is taken, also by one that was removed: what it stored would come to another person. */
export async function createUser(
  ledger: Ledger,
  o: { name: string; role: Role },
  hop: Hop,
): Promise<UserInfo> {
  const record: UserRecord = { ...o, version: 1, created: new Date().toISOString() }
  const there = ledger.sets.users.get(o.name)
  if (there) throw taken(there)
  const { outcome } = await ledger.create(names.user(o.name, 1), record, hop)
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
  if (user.role === 'admin') await endAdmin(ledger, { ...user, role }, 'demoted', hop)
  return userInfo((await nextVersion(ledger, { ...user, role }, hop)).record)
}

/**
 * Revokes all its keys with it; answers how many still counted, and which instances may not know of it when a majority did not say that it does.
 * 409 for the last admin.
 */
export async function removeUser(
  ledger: Ledger,
  name: string,
  hop: Hop,
): Promise<{ keys: number; missing: string[] }> {
  const user = present(ledger, name)
  const removed = { ...user, removed: new Date().toISOString() }
  if (user.role === 'admin') await endAdmin(ledger, removed, 'removed', hop)
  const keys = ledger.sets.keysOf(name).filter(id => !ledger.sets.revoked.has(id)).length
  return { keys, missing: (await nextVersion(ledger, removed, hop)).missing }
}

function present(ledger: Ledger, name: string): UserRecord {
  const user = ledger.sets.users.get(name)
  if (!user || user.removed) throw notFound(`user ${name}`, '`llmagentos user list` shows who there is.')
  return user
}

/** Returns when the end of an admin may be written. With several instances it is announced first, by a turn. */
async function endAdmin(
  ledger: Ledger,
  next: UserRecord,
  what: 'demoted' | 'removed',
  hop: Hop,
): Promise<void> {
  for (let tries = 0; tries < MOST_TURNS; tries++) {
    await finishTurns(ledger, hop)
    if (present(ledger, next.name).version !== next.version) throw changed(next)
    keepOneAdmin(ledger, next, what)
    if (!ledger.replicas) return
    const n = firstFree(ledger)
    const turn = { n, user: { ...next, version: next.version + 1 } }
    if ((await ledger.create(names.turn(n), turn, hop)).outcome === 'created') return
  }
  throw changed(next)
}

/** Who took a turn may have ended before it wrote what it announced. */
async function finishTurns(ledger: Ledger, hop: Hop): Promise<void> {
  const { turns, users } = ledger.sets
  for (const { user } of turns.values())
    if ((users.get(user.name)?.version ?? 0) < user.version)
      await ledger.create(names.user(user.name, user.version), user, hop)
}

function firstFree({ sets }: Ledger): number {
  let n = 1
  while (sets.turns.has(names.number(n))) n++
  return n
}

function keepOneAdmin(ledger: Ledger, user: UserRecord, what: string): void {
  const others = ledger.sets.activeAdmins().filter(a => a.name !== user.name)
  if (others.length === 0)
    throw new Refusal(409, 'last_admin', `${user.name} is the last admin and cannot be ${what}.`, {
      next: 'Make another user admin first: `llmagentos user set-role NAME admin`.',
    })
}

async function nextVersion(
  ledger: Ledger,
  user: UserRecord,
  hop: Hop,
): Promise<{ record: UserRecord; missing: string[] }> {
  const record = { ...user, version: user.version + 1 }
  const { outcome, missing } = await ledger.create(names.user(user.name, record.version), record, hop)
  if (outcome === 'created') return { record, missing }
  // Another instance may have written what was announced here.
  const there = ledger.sets.users.get(user.name)!
  const same = there.version === record.version && there.role === record.role
  if (same && there.removed === record.removed) return { record, missing }
  // Another change of the same user is there, or an earlier one whose answer was lost; it counts from now on, and whoever asked decides anew.
  throw changed(user)
}

const changed = (user: UserRecord) =>
  new Refusal(409, 'changed', `The user ${user.name} was changed in the meantime.`, {
    next: 'Look at it with `llmagentos user list`, then repeat the change.',
  })

const taken = (user: UserRecord) =>
  new Refusal(
    409,
    'exists',
    `The name ${user.name} is taken${user.removed ? ' by a user that was removed' : ''}.`,
    {
      next: 'Choose another name.',
    },
  )
