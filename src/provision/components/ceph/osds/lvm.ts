import { FOLDERS } from './places.ts'

/** A shell function: closes what is decrypted of the volume $1 (GROUP/NAME), if anything is. */
const CLOSE = `shut() {
  volume=$(readlink -e "/dev/$1") || return 0
  for over in /sys/class/block/"\${volume##*/}"/holders/dm-*; do
    [ ! -e "$over" ] || cryptsetup close "$(cat "$over/dm/name")"
  done
}`

/**
 * Makes an OSD on a logical volume, by ceph-volume. Arguments and standard input as for MAKE_RAW, but before the device file: `yes` for
 * encryption; the class of its disk or -; and for an index on another disk its name, the volume group there, and bytes or `/PARTS`, or
 * three times -. With an index, its disk's device file comes before the other one. A try that was cut short is taken away first, with its
 * id: its volumes are known by the uuid in their names.
 */
export const MAKE_LVM = `set -eu
# Our hold on the disk is open in all that runs here.
export LVM_SUPPRESS_FD_WARNINGS=1
uuid=$1 name=$2 earlier=$3 takes=$4 encrypt=$5 class=$6 db=$7 dbgroup=$8 share=$9
shift 9
index=; [ "$db" = - ] || { index=$1; shift; }
device=$1
folder=${FOLDERS}/by-disk/$name keyring=/var/lib/ceph/bootstrap-osd/ceph.keyring
trap 'rm -f "$device" "$keyring" $index' EXIT
mkdir -p "\${keyring%/*}"
(umask 077; { printf '[client.bootstrap-osd]\\n\\tkey = '; cat; echo; } >"$keyring")
mons() { ceph --connect-timeout 60 --name client.bootstrap-osd --keyring "$keyring" "$@"; }
install -d -o ceph -g ceph ${FOLDERS} ${FOLDERS}/by-disk
install -d -m 0750 -o ceph -g ceph "$folder"
# LVM knows disks by their usual names; the file that was handed over says which one is meant.
usual() {
  for one in /dev/disk/by-id /dev/disk/by-path /dev; do
    [ ! -b "$one/$1" ] || { path=$(readlink -e "$one/$1"); break; }
  done
  [ -n "\${path-}" ] && [ "$(stat -c %t:%T "$path")" = "$(stat -c %t:%T "$2")" ] || { echo "$1 is another disk now" >&2; exit 9; }
  echo "$path"
}
group_on() { pvs --noheadings -o vg_name "$1" 2>/dev/null | tr -d ' ' || :; }
${CLOSE}
disk=$(usual "$name" "$device")
for at in ${FOLDERS}/ceph-*; do
  [ "$(cat "$at/fsid" 2>/dev/null)" != "$uuid" ] || ! mountpoint -q "$at" || umount "$at"
done
group=$(group_on "$disk")
case $group in
  "ceph-$uuid")
    shut "$group/osd-block-$uuid"
    vgremove --quiet --force --yes "$group" >&2 ;;
  ?*) echo "$name is a part of $group" >&2; exit 9 ;;
esac
! pvs "$disk" >/dev/null 2>&1 || pvremove --quiet --yes "$disk" >&2
if [ "$db" != - ]; then
  dbdisk=$(usual "$db" "$index")
  group=$(group_on "$dbdisk")
  case $group in
    "$dbgroup")
      shut "$group/osd-db-$uuid"
      ! lvs "$group/osd-db-$uuid" >/dev/null 2>&1 || lvremove --quiet --yes "$group/osd-db-$uuid" >&2 ;;
    ?*) echo "$db is a part of $group" >&2; exit 9 ;;
    *) vgcreate --quiet "$dbgroup" "$dbdisk" >&2 ;;
  esac
  about() { vgs --noheadings --units b --nosuffix -o "$1" "$dbgroup" | tr -d ' '; }
  case $share in
    /*) extents=$(($(about vg_extent_count) / \${share#/})) ;;
    *) extents=$((share / $(about vg_extent_size))) ;;
  esac
  free=$(about vg_free_count)
  [ "$extents" -le "$free" ] || { echo "$db has $free extents left, and an index of $extents was wanted" >&2; exit 9; }
fi
[ "$earlier" = - ] || mons osd purge-new "$earlier" --yes-i-really-mean-it
vgcreate --quiet "ceph-$uuid" "$disk" >&2
# An earlier try may have left LUKS or BlueStore in the same place, and ceph-volume takes neither.
lvcreate --quiet --yes --wipesignatures y --zero y --extents 100%FREE --name "osd-block-$uuid" "ceph-$uuid" >&2
set -- --osd-fsid "$uuid" --data "ceph-$uuid/osd-block-$uuid"
if [ "$db" != - ]; then
  lvcreate --quiet --yes --wipesignatures y --zero y --extents "$extents" --name "osd-db-$uuid" "$dbgroup" >&2
  set -- "$@" --block.db "$dbgroup/osd-db-$uuid"
fi
# What an earlier try took over is free again, and the lowest free id is given out.
[ "$takes" = - ] || [ "$takes" = "$earlier" ] || set -- "$@" --osd-id "$takes"
[ "$class" = - ] || set -- "$@" --crush-device-class "$class"
[ "$encrypt" != yes ] || set -- "$@" --dmcrypt
ceph-volume lvm prepare --bluestore "$@" >&2
id=$(lvs --noheadings -o lv_tags "ceph-$uuid/osd-block-$uuid" | tr ',' '\\n' | sed -n 's/^ *ceph.osd_id=//p')
case $id in '' | *[!0-9]*) echo "ceph-volume gave no id: $id" >&2; exit 1 ;; esac
echo "$id" >"$folder/whoami"
echo "$uuid" >"$folder/fsid"
[ "$db" = - ] || echo "$db" >"$folder/db"
rm -f "$folder/takes"
sync -f "$folder"
echo lvm >"$folder/made" && sync "$folder/made" "$folder"`

/**
 * A shell function: lets go of the volumes of the OSD with the uuid $1, which runs no more. Its data stay on their disk, closed, so that
 * the disk can be wiped or taken out; its index is removed, and leaves its room to others.
 */
export const LET_GO = `${CLOSE}
let_go() {
  command -v vgchange >/dev/null || return 0
  shut "ceph-$1/osd-block-$1"
  ! vgs "ceph-$1" >/dev/null 2>&1 || vgchange --quiet -an "ceph-$1" >&2
  for group in $(lvs --noheadings -o vg_name --select "lv_name=osd-db-$1" 2>/dev/null); do
    shut "$group/osd-db-$1"
    lvremove --quiet --yes "$group/osd-db-$1" >&2
  done
}`
