import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, Failure } from '../../errors.ts'
import type { Cluster } from '../../provision/index.ts'
import type { Io } from '../command.ts'

const USUAL = 'cluster.yaml'

/** The file that is meant: what -f names, else cluster.yaml of this folder when it is there. */
export function clusterFile(flags: { file?: string }, io: Io): string | undefined {
  if (flags.file !== undefined) return resolve(io.cwd, flags.file)
  const usual = resolve(io.cwd, USUAL)
  return existsSync(usual) ? usual : undefined
}

/** The wanted cluster. Throws Failure (2) when there is no file, or one with mistakes. */
export async function readCluster(
  flags: { file?: string },
  io: Io,
): Promise<{ file: string; cluster: Cluster }> {
  const file = clusterFile(flags, io)
  if (file === undefined)
    throw new Failure(`There is no ${USUAL} in this folder.`, {
      exit: EXIT.usage,
      why: 'It says which nodes there are.',
      next: 'Name one with -f FILE, or write one: llmagentos init ops@10.0.0.11 ops@10.0.0.12',
    })
  const { load } = await import('../../provision/index.ts')
  return { file, cluster: load(file, io.env) }
}
