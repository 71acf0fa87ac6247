import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, onTestFinished, vi } from 'vitest'
import { packageRoot } from '../../../../src/assets.ts'
import { silent } from '../../../../src/log.ts'
import { inProcessBus } from '../../../../src/runtime/bus/in-process.ts'
import { Children } from '../../../../src/runtime/services/executor/children.ts'
import { Supervisor } from '../../../../src/runtime/services/executor/supervisor.ts'
import { hear } from '../../../../src/runtime/tasks/events.ts'
import { endName, queuedName } from '../../../../src/runtime/tasks/names.ts'
import type { EndRecord, TaskRecord } from '../../../../src/runtime/tasks/records.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { MemoryRecords } from '../../../helpers/memory-records.ts'
import { standInAuth } from '../../../helpers/stand-in-auth.ts'
import { taskRecord } from '../../../helpers/task-record.ts'
import { tempFolder } from '../../../helpers/temp.ts'

/** A supervisor with real children of bad-kinds-child.ts, records in memory and a stand-in for auth. */
export async function setUp(o: { graceMs?: number } = {}) {
  const folder = tempFolder()
  await build({
    entryPoints: [join(packageRoot(), 'test/helpers/bad-kinds-child.ts')],
    outfile: join(folder, 'child.mjs'),
    ...{ bundle: true, format: 'esm', platform: 'node', target: 'node20.19', logLevel: 'error' },
    banner: { js: "import { createRequire as c } from 'node:module';const require = c(import.meta.url)" },
  })
  const auth = await standInAuth(folder)
  const services = { auth: [auth.address] }
  const records = new MemoryRecords()
  const bus = inProcessBus()
  const calls = new Calls('executor', services)
  const children = new Children({ program: join(folder, 'child.mjs'), memoryMb: 64, log: silent })
  onTestFinished(async () => {
    children.stop()
    await calls.close()
  })
  const identity = { name: 'local', boot: 'boot-2' }
  const supervisor = new Supervisor({
    ...identity,
    ...{ records, bus, calls, children, services, log: silent, graceMs: o.graceMs ?? 200 },
  })
  const said: string[] = []
  await hear(bus, 'progress', e => said.push(e.text))

  const put = async (given: Partial<TaskRecord>) => {
    const task = taskRecord(given)
    await records.create(queuedName(task), task)
    return task
  }
  const deliver = (task: TaskRecord) =>
    supervisor.deliver({
      id: task.id,
      body: { name: queuedName(task) },
      deliveries: 1,
    })
  const endOf = (task: TaskRecord): EndRecord | undefined => {
    const found = records.stored.get(endName(task))
    return found && JSON.parse(found.toString())
  }
  const run = async (kind: string, given: Partial<TaskRecord> = {}) => {
    const task = await put({ kind, params: {}, ...given })
    expect(await deliver(task)).toBe('ack')
    return { task, end: endOf(task)! }
  }
  const begun = (task: TaskRecord) =>
    // A child is a whole Node to start, and this machine may be busy.
    vi.waitFor(() => expect(said.some(s => s.startsWith('pid'))).toBe(true), 20_000).then(() => task)
  const pid = () => Number(said.find(s => s.startsWith('pid'))!.slice(4))
  return {
    program: join(folder, 'child.mjs'),
    ...{ auth, records, bus, children, supervisor, identity, said },
    ...{ put, deliver, endOf, run, begun, pid },
  }
}
