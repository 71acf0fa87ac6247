import { join } from 'node:path'
import { onTestFinished, test } from 'vitest'
import { silent } from '../../../../src/log.ts'
import { inProcessBus } from '../../../../src/runtime/bus/in-process.ts'
import { RemoteRecords } from '../../../../src/runtime/records-client.ts'
import { Dispatcher } from '../../../../src/runtime/services/task/dispatcher.ts'
import { Executors } from '../../../../src/runtime/services/task/executors.ts'
import { Reaper } from '../../../../src/runtime/services/task/reaper.ts'
import { moveDue } from '../../../../src/runtime/services/task/waiting.ts'
import { Fence } from '../../../../src/runtime/tasks/fence.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { tempFolder } from '../../../helpers/temp.ts'

test('a stop does not wait for a store that is away', async () => {
  const calls = new Calls('task', { data: [{ socket: join(tempFolder(), 'nobody.sock') }] })
  onTestFinished(() => calls.close())
  const records = new RemoteRecords(calls)
  const executors = new Executors()
  const parts = {
    ...{ records, calls, executors, log: silent },
    ...{ fence: new Fence(records), bus: inProcessBus(), kinds: new Map() },
  }
  const dispatcher = new Dispatcher(parts)
  const stops = [moveDue(parts), new Reaper(parts).start(), () => dispatcher.stop()]
  await dispatcher.start()
  // Each has asked, and waits to ask again.
  await new Promise(setImmediate)
  await Promise.all(stops.map(stop => stop()))
})
