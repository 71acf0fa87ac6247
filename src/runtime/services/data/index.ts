import { DataConfig } from '../../../contracts/config.ts'
import type { Service } from '../../service.ts'
import { registerKb } from './kb.ts'
import { registerObjects } from './objects/index.ts'
import { registerRecords } from './records.ts'
import { Room } from './room.ts'
import { registerSessions } from './sessions/index.ts'
import { openStore } from './store/open.ts'
import { WatchedStore } from './store/watched.ts'
import { keepSwept } from './sweep.ts'
import { refuseSealedAttempts } from './task-fence.ts'

/** The only service that touches what must last: records of the others, objects, sessions, knowledge. */
export const data: Service<DataConfig> = {
  name: 'data',
  config: DataConfig,
  callers: ['gateway', 'auth', 'llm', 'task', 'executor'],
  verifies: true,
  async setup(app, deps) {
    const { config } = deps
    const store = new WatchedStore(await openStore(config.store, { log: deps.log }))
    const room = new Room(config.fill)
    await room.start()
    refuseSealedAttempts(app, store)
    registerRecords(app, deps, store, room)
    registerObjects(app, deps, store, room)
    registerSessions(app, deps, store, room)
    const kb = await registerKb(app, deps, store, room).catch(async thrown => {
      await store.close()
      throw thrown
    })
    const stopSweeping = keepSwept(store, { log: deps.log, shared: !('embedded' in config.store) })
    return {
      // Who needs no store is served without it, and who does is told by each answer.
      ready: () => [],
      notes: () => [...store.notes(), ...room.notes(), ...kb.notes()],
      facts: () => ({ store: 'embedded' in config.store ? 'embedded' : 's3' }),
      async stop() {
        room.stop()
        await Promise.all([kb.stop(), stopSweeping()])
        await store.close()
      },
    }
  },
}
