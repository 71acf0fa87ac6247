import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { EXIT, Failure } from '../../errors.ts'

/** Where a one-machine cluster keeps its things, after the XDG base directory specification. */
export interface Paths {
  /** Keys and the list of clusters. */
  config: string
  /** What must last: the store. */
  data: string
  /** Logs, the index (derived), the process's own notes. */
  state: string
  /** Sockets; 0700, nobody else may enter. */
  run: string
}

/** A unix socket's path holds 107 bytes; the longest name of ours takes 17 of them. */
const LONGEST_RUN = 88

export function pathsOf(cluster: string, env: NodeJS.ProcessEnv): Paths {
  const home = env.HOME ?? homedir()
  const at = (variable: string, otherwise: string) =>
    join(env[variable] || join(home, otherwise), 'llmagentos')
  const state = join(at('XDG_STATE_HOME', '.local/state'), cluster)
  return {
    config: at('XDG_CONFIG_HOME', '.config'),
    data: join(at('XDG_DATA_HOME', '.local/share'), cluster),
    state,
    run: env.XDG_RUNTIME_DIR
      ? fitting(join(env.XDG_RUNTIME_DIR, 'llmagentos', cluster))
      : fitting(join(state, 'run')),
  }
}

/** Makes the folders, each for its owner alone. */
export function makeFolders(paths: Paths): void {
  for (const folder of Object.values(paths)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    if (!found.isDirectory() || found.uid !== userInfo().uid) {
      throw new Failure(`${folder} is not a folder of yours.`, {
        exit: EXIT.preflight,
        why: 'Sockets and keys in it could be read or replaced by someone else.',
        next: `Remove it, or set XDG_RUNTIME_DIR to a folder of your own.`,
      })
    }
    chmodSync(folder, 0o700)
  }
}

function fitting(folder: string): string {
  if (Buffer.byteLength(folder) <= LONGEST_RUN) return folder
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  return join(tmpdir(), `llmagentos-${userInfo().uid}-${digest}`)
}
