import type { Noun } from '../command.ts'
import { list } from './list.ts'
import { pull } from './pull.ts'
import { rm } from './rm.ts'
import { scale } from './scale.ts'

export const model: Noun = {
  name: 'model',
  summary: 'the models that workers answer with',
  commands: [list, pull, scale, rm],
}
