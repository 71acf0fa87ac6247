import { FOLDERS } from './places.ts'

/**
 * Makes an OSD on a whole disk, without LVM. Arguments: its uuid, the name of the disk, the id that an earlier try had or -, the id that it
 * takes over or -, and last the device file of a disk that nobody else has. Standard input: the key of client.bootstrap-osd.
 * The mark "made" is set last: without it nothing is an OSD. A try that was cut short goes on with its key, under its id.
 */
export const MAKE_RAW = `set -eu
uuid=$1 name=$2 earlier=$3 takes=$4 device=$5
folder=${FOLDERS}/by-disk/$name scratch=$(mktemp -d /run/llmagentos-osd.XXXXXX)
trap 'rm -rf "$scratch" "$device"' EXIT
chmod 0755 "$scratch"
{ printf '[client.bootstrap-osd]\\n\\tkey = '; cat; echo; } >"$scratch/bootstrap"
chmod 0600 "$scratch/bootstrap"
mons() { ceph --connect-timeout 60 --name client.bootstrap-osd --keyring "$scratch/bootstrap" "$@"; }
install -d -o ceph -g ceph ${FOLDERS} ${FOLDERS}/by-disk
install -d -m 0750 -o ceph -g ceph "$folder"
if [ ! -s "$folder/key" ]; then
  # The mons know the key of an earlier try, and nobody else does.
  [ "$earlier" = - ] || mons osd purge-new "$earlier" --yes-i-really-mean-it
  (umask 077; ceph-authtool --gen-print-key >"$folder/key.new")
  sync "$folder/key.new" && mv "$folder/key.new" "$folder/key" && sync "$folder"
fi
[ "$takes" != - ] || takes=
id=$(printf '{"cephx_secret":"%s"}' "$(cat "$folder/key")" | mons osd new "$uuid" $takes -i -)
case $id in '' | *[!0-9]*) echo "the mons gave no id: $id" >&2; exit 1 ;; esac
(umask 077; printf '[osd.%s]\\n\\tkey = %s\\n' "$id" "$(cat "$folder/key")" >"$folder/keyring")
mons mon getmap -o "$scratch/monmap"
chmod 0644 "$scratch/monmap"
rm -f "$folder/block" "$folder/fsid" "$folder/type" "$folder/ready"
chown ceph:ceph "$device" "$folder/keyring"
ln -s "$device" "$folder/block"
ceph-osd --id "$id" --mkfs --monmap "$scratch/monmap" --osd-data "$folder" --osd-uuid "$uuid" --keyring "$folder/keyring" \\
  --osd-objectstore bluestore --setuser ceph --setgroup ceph
# By its own name from now on: the device file of this step goes.
ln -s "$(for one in /dev/disk/by-id /dev/disk/by-path /dev; do [ ! -b "$one/$name" ] || { echo "$one/$name"; break; }; done)" "$folder/block.new"
mv -T "$folder/block.new" "$folder/block"
rm -f "$folder/key"
sync -f "$folder"
ln -sfn "by-disk/$name" "${FOLDERS}/ceph-$id" && sync ${FOLDERS}
rm -f "$folder/takes"
echo raw >"$folder/made" && sync "$folder/made" "$folder"`
