import type { Noun } from '../command.ts'
import { list } from './list.ts'
import { rm } from './rm.ts'
import { show } from './show.ts'

export const session: Noun = {
  name: 'session',
  summary: 'list, show and remove your conversations',
  commands: [list, show, rm],
}
