import type { Told } from '../told.ts'
import { FS } from './names.ts'

/** What `fs dump` says of file systems and of those who serve them. */
export interface FsDump {
  standbys: { name: string }[]
  filesystems: { mdsmap: FsMap }[]
}

interface FsMap {
  fs_name: string
  info: Record<string, { name: string; state: string }>
}

/** Our file system; undefined where there is none. `active` and `standbys` are names of metadata servers. */
export function fsIn({
  files,
}: Told): { active: string[]; coming: string[]; standbys: string[] } | undefined {
  const map = files.filesystems.find(({ mdsmap }) => mdsmap.fs_name === FS)?.mdsmap
  if (!map) return undefined
  const all = Object.values(map.info)
  const inState = (...states: string[]) => all.filter(one => states.includes(one.state)).map(one => one.name)
  return {
    active: inState('up:active'),
    coming: inState('up:replay', 'up:resolve', 'up:reconnect', 'up:rejoin', 'up:clientreplay', 'up:creating'),
    standbys: [...files.standbys.map(one => one.name), ...inState('up:standby-replay')],
  }
}
