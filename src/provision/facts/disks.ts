import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { whole } from './fields.ts'

/** A name of /dev/disk/by-id, and what is behind it. */
export interface Disk {
  id: string
  /** `/dev/sdb`; undefined where the name is not there, or is none of a block device. */
  path?: string
  sizeBytes: number
  rotational: boolean
  /** Why it is not blank, in words such as `ext4` or `partitions sdb1 sdb2`; none for a blank one. */
  holds: string[]
}

export interface Disks {
  disks: Disk[]
  /** Every name of /dev/disk/by-id that is of a whole disk. */
  there: string[]
}

/**
 * The disks of these ids. What /sys and /proc say is asked by the numbers of the device in /dev: a container sees the disks of its
 * whole host in /sys. A disk that could not be looked into makes the answer unknown.
 */
export function disks(ids: string[]): Fact<Disks> {
  return {
    id: `disks ${ids.join(' ')}`,
    deadlineMs: 15_000 + ids.length * 2_000,
    script: `ls /dev/disk/by-id 2>/dev/null | grep -v -e '-part[0-9]*$' | sed 's/^/there\\t/'
for id in ${quote(ids)}; do
  printf 'disk\\t%s\\n' "$id"
  path=$(readlink -e "/dev/disk/by-id/$id") && [ -b "$path" ] || continue
  printf 'path\\t%s\\n' "$path"
  number=$((0x$(stat -c %t "$path"))):$((0x$(stat -c %T "$path")))
  about=/sys/dev/block/$number
  printf 'size\\t%s\\n' "$(blockdev --getsize64 "$path")"
  printf 'rotational\\t%s\\n' "$(cat "$about/queue/rotational" "$about/../queue/rotational" 2>/dev/null | head -n 1)"
  for part in "$about"/*/partition; do
    [ ! -e "$part" ] || { part=\${part%/*}; printf 'partition\\t%s\\n' "\${part##*/}"; }
  done
  for holder in "$about"/holders/*; do
    [ ! -e "$holder" ] || printf 'holder\\t%s\\n' "\${holder##*/}"
  done
  while read -r _ _ device _ mount _; do
    [ "$device" != "$number" ] || printf 'mount\\t%s\\n' "$mount"
  done </proc/self/mountinfo
  while read -r swap _; do
    [ "$swap" != "$path" ] || printf 'swap\\t\\n'
  done </proc/swaps
  found=$(blkid -p -o export "$path"); code=$?
  [ $code = 0 ] || [ $code = 2 ] || { echo "blkid of $path: exit $code" >&2; exit 1; }
  printf '%s\\n' "$found" | sed -n 's/^\\(TYPE\\|PTTYPE\\)=/\\1\\t/p'
done`,
    parse(stdout) {
      const [there, ...rest] = stdout.split(/^disk\t/m)
      const disks = rest.map(diskOf)
      if (disks.map(disk => disk.id).join() !== ids.join()) throw new Error('it is not about all disks')
      return {
        disks,
        there: [...there!.matchAll(/^there\t(.*)$/gm)].map(([, name]) => name!),
      }
    },
  }
}

function diskOf(text: string): Disk {
  const [id, ...lines] = text.trimEnd().split('\n')
  const said = lines.map(line => line.split('\t') as [string, string])
  const all = (key: string) => said.filter(([k]) => k === key).map(([, value]) => value ?? '')
  const [path] = all('path')
  if (!path) return { id: id!, sizeBytes: 0, rotational: false, holds: [] }
  return {
    id: id!,
    path,
    sizeBytes: whole(all('size')[0]),
    rotational: all('rotational')[0] === '1',
    holds: [
      ...all('TYPE'),
      ...all('PTTYPE').map(type => `a partition table (${type})`),
      ...(all('partition').length > 0 ? [`partitions ${all('partition').join(' ')}`] : []),
      ...all('mount').map(mount => `what is mounted on ${mount}`),
      ...(all('swap').length > 0 ? ['swap that is in use'] : []),
      ...(all('holder').length > 0 ? [`parts of ${all('holder').join(' ')}`] : []),
    ],
  }
}
