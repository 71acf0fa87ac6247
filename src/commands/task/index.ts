import type { Noun } from '../command.ts'
import { cancel } from './cancel.ts'
import { list } from './list.ts'
import { retry } from './retry.ts'
import { show } from './show.ts'
import { submit } from './submit.ts'
import { watch } from './watch.ts'

export const task: Noun = {
  name: 'task',
  summary: 'work that runs in the background and reaches exactly one end',
  commands: [submit, list, show, watch, cancel, retry],
}
