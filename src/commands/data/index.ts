import type { Noun } from '../command.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { migrate } from './migrate.ts'
import { put } from './put.ts'
import { rm } from './rm.ts'

export const data: Noun = {
  name: 'data',
  summary: 'store, read, list and remove your objects',
  commands: [put, get, list, rm, migrate],
}
