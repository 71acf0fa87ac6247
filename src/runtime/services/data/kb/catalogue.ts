import { randomBytes } from 'node:crypto'
import type { Principal } from '../../../../contracts/identity.ts'
import { notFound, Refusal } from '../../../refusal.ts'
import type { ObjectStore } from '../store/store.ts'
import { NAMES, ownNames, sharedNames } from './names.ts'
import { createVersion, heads, newest, purge } from './records.ts'

export interface Kb {
  id: string
  name: string
  owner: string
  shared: boolean
  created: string
}
type NameRecord = Kb & { removed?: boolean }

/** Who owns what no user owns: our own documentation. */
export const SYSTEM = 'system'

/** Who asks: a user, or a service on its own behalf. */
export type Who = Principal | undefined

/** Which knowledge bases there are and who may do what with them. A user's own come first, then the shared ones. */
export class Catalogue {
  readonly #store: ObjectStore

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** Those that `who` may read, each name once. */
  async readable(who: Who): Promise<Kb[]> {
    const byName = new Map<string, Kb>()
    for await (const kb of this.#under(sharedNames())) byName.set(kb.name, kb)
    if (who) for await (const kb of this.#under(ownNames(who.user))) byName.set(kb.name, kb)
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Throws 404, also for what belongs to somebody else: its existence is nobody's business. */
  async find(who: Who, name: string): Promise<Kb> {
    const kb = await this.#find(who, name)
    if (kb) return kb
    throw notFound(`knowledge base ${name} that you may read`, 'See them with `llmagentos kb list`.')
  }

  /** For changes: the one that exists and is theirs, or a new one. */
  async open(who: Who, name: string, o: { shared?: boolean }): Promise<Kb> {
    for (;;) {
      const kb = await this.#find(who, name)
      if (kb) return this.#writable(who, kb, o.shared)
      if (o.shared && who && !who.scopes.includes('kb:share')) throw mayNotShare(name)
      const made = await this.#create(who, name, o.shared === true || !who)
      if (made) return made
    }
  }

  async findWritable(who: Who, name: string): Promise<Kb> {
    return this.#writable(who, await this.find(who, name), undefined)
  }

  /** From here on nobody finds it. What it holds is purged afterwards. */
  async remove(kb: Kb): Promise<void> {
    const prefix = prefixOf(kb)
    for (;;) {
      const head = await newest<NameRecord>(this.#store, prefix)
      if (!head || head.value.removed || head.value.id !== kb.id) return
      if (await createVersion(this.#store, prefix, head.n + 1, { ...kb, removed: true })) return
    }
  }

  /** All of them, removed ones too: for the sweep at start. */
  async *everything(): AsyncGenerator<NameRecord> {
    for await (const { value } of heads<NameRecord>(this.#store, NAMES)) yield value
  }

  async #find(who: Who, name: string): Promise<Kb | undefined> {
    const own = who && (await newest<NameRecord>(this.#store, `${ownNames(who.user)}${name}/`))
    if (own && !own.value.removed) return own.value
    const shared = await newest<NameRecord>(this.#store, `${sharedNames()}${name}/`)
    return shared && !shared.value.removed ? shared.value : undefined
  }

  /** Undefined when somebody else was faster. */
  async #create(who: Who, name: string, shared: boolean): Promise<Kb | undefined> {
    const kb: Kb = {
      id: randomBytes(10).toString('hex'),
      name,
      owner: who?.user ?? SYSTEM,
      shared,
      created: new Date().toISOString(),
    }
    const prefix = prefixOf(kb)
    const n = ((await newest(this.#store, prefix))?.n ?? 0) + 1
    if (!(await createVersion(this.#store, prefix, n, kb))) return undefined
    // Had we slept since we read it, the number could be an old one that was purged, below a newer base.
    if ((await newest<NameRecord>(this.#store, prefix))?.value.id !== kb.id) return undefined
    await purge(this.#store, prefix, n)
    return kb
  }

  #writable(who: Who, kb: Kb, shared: boolean | undefined): Kb {
    if (!mayWrite(who, kb)) {
      throw new Refusal(
        403,
        'not_yours',
        `The knowledge base ${kb.name} belongs to ${kb.owner === SYSTEM ? 'the system' : kb.owner}: you may read it, not change it.`,
        { next: 'Choose another name: `llmagentos kb add PATH --kb NAME`.' },
      )
    }
    if (shared && !kb.shared) {
      throw new Refusal(409, 'private', `Your knowledge base ${kb.name} exists and is private.`, {
        next: 'Choose another name for the shared one, or remove the private one first.',
      })
    }
    return kb
  }

  async *#under(prefix: string): AsyncGenerator<Kb> {
    for await (const { value } of heads<NameRecord>(this.#store, prefix)) if (!value.removed) yield value
  }
}

/** The system's are for the system alone; a shared one may also be changed by an admin, because its owner may be gone. */
function mayWrite(who: Who, kb: Kb): boolean {
  if (!who) return kb.shared && kb.owner === SYSTEM
  if (kb.shared && kb.owner === SYSTEM) return false
  return kb.owner === who.user || (kb.shared && who.role === 'admin')
}

const prefixOf = (kb: Kb) => (kb.shared ? `${sharedNames()}${kb.name}/` : `${ownNames(kb.owner)}${kb.name}/`)

const mayNotShare = (name: string) =>
  new Refusal(
    403,
    'scope',
    `There is no knowledge base ${name} yet, and making a shared one needs the scope kb:share.`,
    {
      next: 'Leave out `--shared`, or ask an admin for a key with `kb:share`.',
    },
  )
