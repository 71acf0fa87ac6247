import type { Noun } from '../command.ts'
import { create } from './create.ts'
import { list } from './list.ts'
import { remove } from './remove.ts'
import { setRole } from './set-role.ts'

export const user: Noun = {
  name: 'user',
  summary: 'create and remove users, and say what they may do',
  commands: [create, list, setRole, remove],
}
