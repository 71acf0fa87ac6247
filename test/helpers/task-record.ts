import { newId } from '../../src/runtime/tasks/ids.ts'
import type { TaskRecord } from '../../src/runtime/tasks/records.ts'

/** A task record of the test's own, as the task service stores it. */
export function taskRecord(given: Partial<TaskRecord> = {}): TaskRecord {
  return {
    id: newId(),
    attempt: 1,
    user: 'ada',
    key: 'k000000000000001',
    scopes: ['ask'],
    kind: 'qa',
    params: { question: 'why?' },
    says: 'Answer "why?".',
    by: 'given',
    priority: 'normal',
    submitted: Date.now(),
    tries: { crashed: 0, errors: 0, lost: 0 },
    ...given,
  }
}
