// Of several names of one disk people know maker and serial number best.
const BEST_FIRST = [/^(ata|nvme|virtio|usb)-(?!eui\.|uuid\.)/, /^scsi-/, /./]

/** Sorts names of /dev/disk/by-id. */
export const bestFirst = (a: string, b: string): number =>
  rank(a) - rank(b) || a.length - b.length || (a < b ? -1 : 1)

const rank = (name: string) => BEST_FIRST.findIndex(kind => kind.test(name))
