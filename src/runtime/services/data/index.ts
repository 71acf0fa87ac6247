import { DataConfig } from '../../../contracts/config.ts'
import type { Service } from '../../service.ts'
import { registerKb } from './kb.ts'
import { registerObjects } from './objects/index.ts'
import { registerRecords } from './records.ts'
import { registerSessions } from './sessions/index.ts'
import { openStore } from './store/open.ts'
import { keepSwept } from './sweep.ts'
import { refuseSealedAttempts } from './task-fence.ts'

/** The only service that touches what must last: records of the others, objects, sessions, knowledge. */
export const data: Service<DataConfig> = {
  name: 'data',
  config: DataConfig,
  callers: ['gateway', 'auth', 'llm', 'task', 'executor'],
  verifies: true,
  async setup(app, deps) {
    const store = await openStore(deps.config.store, { log: deps.log })
    refuseSealedAttempts(app, store)
    registerRecords(app, deps, store)
    registerObjects(app, deps, store)
    registerSessions(app, deps, store)
    const kb = await registerKb(app, deps, store).catch(async thrown => {
      await store.close()
      throw thrown
    })
    const stopSweeping = keepSwept(store, deps.log)
    return {
      ready: () => [],
      notes: () => kb.notes(),
      facts: () => ({ store: 'embedded' }),
      async stop() {
        await Promise.all([kb.stop(), stopSweeping()])
        await store.close()
      },
    }
  },
}
