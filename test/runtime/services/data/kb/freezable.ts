import type { ObjectStore } from '../../../../../src/runtime/services/data/store/store.ts'

/** A store that stops its user at the first call that fits, as if the process were frozen there, until it may go on. */
export function freezable(store: ObjectStore) {
  let wanted: { act: string; fits(name: string): boolean; reached(): void; until: Promise<void> } | undefined
  const met = async (act: string, name: string) => {
    if (wanted?.act !== act || !wanted.fits(name)) return
    const { reached, until } = wanted
    wanted = undefined
    reached()
    await until
  }
  return {
    store: {
      ...store,
      async create(name, record, writer) {
        await met('create', name)
        return store.create(name, record, writer)
      },
      async delete(name) {
        await met('delete', name)
        return store.delete(name)
      },
    } satisfies ObjectStore as ObjectStore,
    stopAt(act: 'create' | 'delete', fits: (name: string) => boolean) {
      let goOn = () => {}
      const until = new Promise<void>(resolve => {
        goOn = resolve
      })
      const reached = new Promise<void>(resolve => {
        wanted = { act, fits, reached: resolve, until }
      })
      return { reached, goOn }
    },
  }
}
