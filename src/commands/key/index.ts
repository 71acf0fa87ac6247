import type { Noun } from '../command.ts'
import { create } from './create.ts'
import { list } from './list.ts'
import { revoke } from './revoke.ts'

export const key: Noun = {
  name: 'key',
  summary: 'create, list and revoke API keys',
  commands: [create, list, revoke],
}
