import { FOLDERS } from './places.ts'

/**
 * Makes an OSD on a logical volume, by ceph-volume. Arguments and standard input as for MAKE_RAW, but before the device file: `yes` for
 * encryption. A try that was cut short is taken away first, with its id: its volumes are known by the uuid in their names.
 */
export const MAKE_LVM = `set -eu
uuid=$1 name=$2 earlier=$3 takes=$4 encrypt=$5 device=$6
folder=${FOLDERS}/by-disk/$name keyring=/var/lib/ceph/bootstrap-osd/ceph.keyring
trap 'rm -f "$device" "$keyring"' EXIT
mkdir -p "\${keyring%/*}"
(umask 077; { printf '[client.bootstrap-osd]\\n\\tkey = '; cat; echo; } >"$keyring")
mons() { ceph --connect-timeout 60 --name client.bootstrap-osd --keyring "$keyring" "$@"; }
install -d -o ceph -g ceph ${FOLDERS} ${FOLDERS}/by-disk
install -d -m 0750 -o ceph -g ceph "$folder"
# LVM knows disks by their usual names; the file that was handed over says which one is meant.
disk=
for one in /dev/disk/by-id /dev/disk/by-path /dev; do
  [ ! -b "$one/$name" ] || { disk=$(readlink -e "$one/$name"); break; }
done
[ -n "$disk" ] && [ "$(stat -c %t:%T "$disk")" = "$(stat -c %t:%T "$device")" ] || { echo "$name is another disk now" >&2; exit 9; }
for group in $(pvs --noheadings -o vg_name "$disk" 2>/dev/null || :); do
  [ "$group" = "ceph-$uuid" ] || { echo "$name is a part of $group" >&2; exit 9; }
  vgremove --quiet --force --yes "$group" >&2
done
! pvs "$disk" >/dev/null 2>&1 || pvremove --quiet --yes "$disk" >&2
[ "$earlier" = - ] || mons osd purge-new "$earlier" --yes-i-really-mean-it
pvcreate --quiet "$disk" >&2
vgcreate --quiet "ceph-$uuid" "$disk" >&2
lvcreate --quiet --yes --wipesignatures n --extents 100%FREE --name "osd-block-$uuid" "ceph-$uuid" >&2
set -- --osd-fsid "$uuid" --data "ceph-$uuid/osd-block-$uuid"
[ "$takes" = - ] || set -- "$@" --osd-id "$takes"
[ "$encrypt" != yes ] || set -- "$@" --dmcrypt
ceph-volume lvm prepare --bluestore "$@" >&2
id=$(lvs --noheadings -o lv_tags "ceph-$uuid/osd-block-$uuid" | tr ',' '\\n' | sed -n 's/^ *ceph.osd_id=//p')
case $id in '' | *[!0-9]*) echo "ceph-volume gave no id: $id" >&2; exit 1 ;; esac
echo "$id" >"$folder/whoami"
echo "$uuid" >"$folder/fsid"
rm -f "$folder/takes"
sync -f "$folder"
echo lvm >"$folder/made" && sync "$folder/made" "$folder"`
