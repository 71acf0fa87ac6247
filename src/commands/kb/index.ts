import type { Noun } from '../command.ts'
import { add } from './add.ts'
import { list } from './list.ts'
import { remove } from './remove.ts'
import { search } from './search.ts'

export const kb: Noun = {
  name: 'kb',
  summary: 'knowledge bases: what answers are drawn from',
  commands: [add, search, list, remove],
}
