import { adminKey } from './admin-key.ts'
import { askCommand } from './ask.ts'
import { chat } from './chat/index.ts'
import { cluster } from './cluster/index.ts'
import type { Command, Noun } from './command.ts'
import { completion } from './completion/index.ts'
import { data } from './data/index.ts'
import { init } from './init.ts'
import { kb } from './kb/index.ts'
import { key } from './key/index.ts'
import { model } from './model/index.ts'
import { node } from './node/index.ts'
import { ready } from './ready.ts'
import { serve } from './serve.ts'
import { session } from './session/index.ts'
import { signer } from './signer.ts'
import { task } from './task/index.ts'
import { user } from './user/index.ts'

/** Everything the command line knows, in the order of its help. A new command is one file and one line. */
export const registry: (Command | Noun)[] = [
  cluster,
  node,
  init,
  askCommand,
  chat,
  model,
  task,
  kb,
  data,
  session,
  key,
  user,
  completion,
  serve,
  signer,
  adminKey,
  ready,
]
