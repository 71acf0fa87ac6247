import type { Noun } from '../command.ts'
import { demote } from './demote.ts'
import { disk } from './disk.ts'
import { exec } from './exec.ts'
import { list } from './list.ts'
import { logs } from './logs.ts'
import { ssh } from './ssh.ts'
import { tend } from './tend.ts'

export const node: Noun = {
  name: 'node',
  summary: 'the machines of a cluster.yaml: look, run commands, log in, read logs',
  commands: [list, disk, demote, exec, ssh, logs, tend],
}
