import { bestFirst } from '../disks/names.ts'
import type { Fact } from '../facts/fact.ts'

/** A whole disk on which there is nothing. */
export interface FreeDisk {
  /** In /dev/disk/by-id. */
  id: string
  sizeBytes: number
  class: 'hdd' | 'ssd' | 'nvme'
}

/**
 * Disks without partitions, file system, mount or holder, by what udev and the kernel know: nothing is read from them, because nobody is
 * root yet. Whether they are blank is found out before anything is made on them.
 */
export const freeDisks: Fact<FreeDisk[]> = {
  id: 'free disks',
  deadlineMs: 15_000,
  script: `for link in /dev/disk/by-id/*; do
  path=$(readlink -e "$link") && [ -b "$path" ] || continue
  name=\${path##*/}; about=/sys/class/block/$name
  [ ! -e "$about/partition" ] || continue
  case $name in loop*|dm-*|md*|sr*|fd*|zram*|nbd*|rbd*) continue ;; esac
  printf '%s\\t%s\\t%s\\t%s\\t%s\\n' "$path" "\${link##*/}" "$(cat "$about/size")" "$(cat "$about/queue/rotational")" \\
    "$(lsblk -nro NAME,FSTYPE,PTTYPE,MOUNTPOINT "$path" | tr '\\n' ' ')"
done`,
  parse(stdout) {
    const lines = stdout.split('\n').map(line => line.split('\t'))
    const free = lines.filter(
      ([path, id, , , held]) => path && id && held?.trim() === path.slice('/dev/'.length),
    )
    const paths = [...new Set(free.map(([path]) => path))]
    return paths.map(path => diskOf(free.filter(line => line[0] === path)))
  },
}

function diskOf(names: string[][]): FreeDisk {
  const [path, id, sectors, rotational] = names.toSorted((a, b) => bestFirst(a[1]!, b[1]!))[0]!
  return {
    id: id!,
    // The kernel counts in 512 bytes whatever the disk's own sectors are.
    sizeBytes: Number(sectors) * 512,
    class: rotational === '1' ? 'hdd' : path!.startsWith('/dev/nvme') ? 'nvme' : 'ssd',
  }
}
