import type { Fact } from '../../../facts/fact.ts'
import { linesOf } from '../../../facts/fields.ts'
import { FOLDERS } from './places.ts'

/** The folder that an OSD of ours has on its node. */
export interface Made {
  /** Name of its disk. */
  disk: string
  /** Name of the disk that holds its index. */
  db?: string
  id?: number
  uuid?: string
  /** Nothing is left to do on its disk. */
  whole: boolean
  backend?: 'raw' | 'lvm'
  /** The id that it takes over, from the OSD of a disk that is replaced. */
  takes?: number
}

export interface OsdsMade {
  osds: Made[]
  /** LVM can work with this kernel. */
  mapper: boolean
}

export const made: Fact<OsdsMade> = {
  id: 'folders of OSDs',
  deadlineMs: 5_000,
  script: `if grep -qw device-mapper /proc/misc || modprobe -qn dm_mod 2>/dev/null; then echo mapper; else echo none; fi
cd ${FOLDERS}/by-disk 2>/dev/null || exit 0
for one in *; do
  [ -d "$one" ] || continue
  printf '%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "$one" "$(cat "$one/whoami" 2>/dev/null)" "$(cat "$one/fsid" 2>/dev/null)" \\
    "$(cat "$one/made" 2>/dev/null)" "$(cat "$one/takes" 2>/dev/null)" "$(cat "$one/db" 2>/dev/null)"
done`,
  parse(stdout) {
    const [mapper, ...lines] = linesOf(stdout)
    if (mapper !== 'mapper' && mapper !== 'none') throw new Error('it does not say whether LVM can work')
    return { mapper: mapper === 'mapper', osds: lines.map(madeOf) }
  },
}

function madeOf(line: string): Made {
  const [disk, id, uuid, whole, takes, db] = line.split('\t')
  if (!disk || db === undefined) throw new Error(`${JSON.stringify(line)} is no line of it`)
  return {
    disk,
    ...(db && { db }),
    ...(/^\d+$/.test(id!) && { id: Number(id) }),
    ...(uuid && { uuid }),
    whole: whole !== '',
    ...((whole === 'raw' || whole === 'lvm') && { backend: whole }),
    ...(/^\d+$/.test(takes!) && { takes: Number(takes) }),
  }
}
