import { setTimeout as sleep } from 'node:timers/promises'
import type { Changed, Changes } from './changes.ts'

/** A search waits so long for what others changed; then it goes on with what is here, and the rest follows behind it. */
const WAIT_MS = 2_000
/** Documents read from the store at once. */
const AT_ONCE = 32

interface Reloading {
  /** What is known here already. */
  versionOf(id: string): string
  reload(id: string): Promise<void>
}

/** The other instances that share a store, as one knowledge base knows them: what they changed, and how they hear what we did. */
export class Others {
  readonly #changes: Changes
  #seen = 0
  #following?: Promise<boolean>

  constructor(changes: Changes) {
    this.#changes = changes
  }

  /** Where following begins: before everything is counted, so that nothing falls between. */
  async begin(): Promise<void> {
    this.#seen = await this.#changes.head()
  }

  tell(changed: Changed): Promise<void> {
    return this.#changes.say(changed)
  }

  /** Has everything reloaded that changed; false when only comparing all of it can tell. */
  async follow(how: Reloading): Promise<boolean> {
    const late = sleep(WAIT_MS, true, { ref: false })
    // What runs may have looked before the change that our caller knows of.
    await Promise.race([this.#following?.catch(() => {}), late])
    this.#following ??= this.#catchUp(how).finally(() => {
      this.#following = undefined
    })
    return Promise.race([this.#following, late])
  }

  async #catchUp({ versionOf, reload }: Reloading): Promise<boolean> {
    const found = await this.#changes.since(this.#seen)
    if (!found) return false
    const { head, changes } = found
    // Entries of two instances may stand the other way round than their changes, so each of a document counts.
    const ids = [...new Set(changes.filter(c => versionOf(c.id) !== c.version).map(c => c.id))]
    for (let i = 0; i < ids.length; i += AT_ONCE) await Promise.all(ids.slice(i, i + AT_ONCE).map(reload))
    this.#seen = head
    return true
  }
}
