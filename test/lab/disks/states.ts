import { closeSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'

const MiB = 1024 ** 2
export const SIZE = 6 * 1024 ** 3

/** One disk as it may be found: how its file gets there, and what is said of it. */
export interface Found {
  is: string
  /** Bytes, where they begin; from the end where that is negative. */
  bytes?: [at: number, bytes: Uint8Array | string][]
  /** Of its file, in place of 6 GiB. */
  size?: number
  /** By root in the node; `$1` is the disk. */
  does?: string
  /** What the guard has to say. */
  says: RegExp
}

const label = (uuid: string, ...words: string[]) => {
  const parts = words.map(word => Buffer.concat([le32(word.length), Buffer.from(word)]))
  return Buffer.concat([Buffer.from(`bluestore block device\n${uuid}\n`), Buffer.alloc(42), ...parts])
}
const le32 = (n: number) => {
  const four = Buffer.alloc(4)
  four.writeUInt32LE(n >>> 0)
  return four
}
const UUID = '0d7aa0ac-6c7b-4d3f-a0a4-0b8f4a3f7e11'
const BLANK = /^blank$/
const FIRST = /has data in its first 4 MiB/
const LAST = /has data in its last 4 MiB/

/** A table of GPT as its standard has it, with nothing in it; libblkid believes only one whose sums are right. */
function gpt(): [number, Buffer][] {
  const sectors = SIZE / 512
  const entries = Buffer.alloc(128 * 128)
  const header = (own: number, other: number, list: number) => {
    const h = Buffer.alloc(92)
    h.write('EFI PART')
    h.writeUInt32LE(0x10000, 8)
    h.writeUInt32LE(92, 12)
    h.writeBigUInt64LE(BigInt(own), 24)
    h.writeBigUInt64LE(BigInt(other), 32)
    h.writeBigUInt64LE(34n, 40)
    h.writeBigUInt64LE(BigInt(sectors - 34), 48)
    h.fill(7, 56, 72)
    h.writeBigUInt64LE(BigInt(list), 72)
    h.writeUInt32LE(128, 80)
    h.writeUInt32LE(128, 84)
    h.writeUInt32LE(crc32(entries), 88)
    h.writeUInt32LE(crc32(h), 16)
    return h
  }
  const table = Buffer.alloc(512)
  table.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], 446)
  table.set([0x55, 0xaa], 510)
  return [
    [0, table],
    [512, header(1, sectors - 1, 2)],
    [-512, header(sectors - 1, 1, sectors - 33)],
  ]
}

function dos(): Buffer {
  const table = Buffer.alloc(512)
  table.set([0, 32, 33, 0, 0x83, 170, 40, 130, 0, 8, 0, 0, 0, 0, 16, 0], 446)
  table.set([0x55, 0xaa], 510)
  return table
}

const ones = Buffer.alloc(4 * MiB, 0xff)
// Not lazily: what is mounted would be written on by the kernel.
const mkfs = (kind: string) => `mkfs.${kind} -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$1" 512M`

/** Twice twenty, so that one node has letters for them. */
export const STATES: Found[][] = [
  [
    { is: 'blank', says: BLANK },
    {
      is: 'erased flash',
      bytes: [
        [0, ones],
        [-4 * MiB, ones],
      ],
      says: BLANK,
    },
    { is: 'erased flash, zeroed at its end', bytes: [[0, ones]], says: BLANK },
    { is: 'data in the middle alone', bytes: [[3 * 1024 ** 3, 'old']], says: BLANK },
    { is: 'ext4', does: mkfs('ext4'), says: /holds ext4/ },
    {
      is: 'ext4, mounted',
      does: `${mkfs('ext4')}; mkdir -p /srv/disk; mount -o ro "$1" /srv/disk`,
      says: /is mounted on \/srv\/disk/,
    },
    { is: 'ext2', does: mkfs('ext2'), says: /holds ext2/ },
    { is: 'swap', does: 'mkswap "$1"', says: /holds swap/ },
    { is: 'a table of partitions', bytes: [[0, dos()]], says: /a partition table \(dos\)/ },
    { is: 'GPT', bytes: gpt(), says: /a partition table \(gpt\)/ },
    { is: 'the second GPT alone', bytes: gpt().slice(2), says: /a partition table \(gpt\)|data in its last/ },
    {
      is: 'LUKS 1',
      bytes: [[0, Buffer.from('LUKS\xba\xbe\0\x01', 'latin1')]],
      says: /LUKS|data in its first/,
    },
    {
      is: 'LVM without its sum',
      bytes: [
        [512, 'LABELONE'],
        [536, 'LVM2 001'],
      ],
      says: FIRST,
    },
    { is: 'a bit of ZFS', bytes: [[132 * 1024, Buffer.from('0cb1ba0000000000', 'hex')]], says: FIRST },
    { is: 'md at its end', bytes: [[SIZE - 8192, Buffer.from('fc4e2ba9', 'hex')]], says: LAST },
    {
      is: 'an OSD of another cluster',
      bytes: [[0, label(UUID, 'ceph_fsid', UUID, 'whoami', '7', 'mkfs_done', 'yes')]],
      says: /osd\.7 of the Ceph cluster 0d7aa0ac/,
    },
    { is: 'a half-made OSD of somebody', bytes: [[0, label(UUID)]], says: /an unfinished OSD \(0d7aa0ac/ },
    {
      is: 'BlueStore with a broken label',
      bytes: [[0, 'bluestore block device\nnonsense']],
      says: /BlueStore|data in its first/,
    },
    { is: 'small', size: 5 * 1024 ** 3 - 512, says: /smaller than 5 GiB/ },
    { is: 'read-only', does: 'blockdev --setro "$1"', says: /is read-only/ },
  ],
  [
    { is: 'one byte at its begin', bytes: [[0, 'x']], says: FIRST },
    { is: 'one byte before 4 MiB', bytes: [[4 * MiB - 1, 'x']], says: FIRST },
    { is: 'one byte at its end', bytes: [[-1, 'x']], says: LAST },
    { is: 'one byte 4 MiB before its end', bytes: [[-4 * MiB, 'x']], says: LAST },
    { is: 'ones among zeros', bytes: [[MiB, Buffer.alloc(4096, 0xff)]], says: FIRST },
    {
      is: 'zeros among ones',
      bytes: [
        [0, ones],
        [MiB, Buffer.alloc(4096)],
      ],
      says: FIRST,
    },
    { is: 'XFS', bytes: [[0, 'XFSB']], says: /xfs|data in its first/i },
    { is: 'Btrfs', bytes: [[64 * 1024 + 64, '_BHRfS_M']], says: /btrfs|data in its first/ },
    { is: 'NTFS', bytes: [[3, 'NTFS    ']], says: /ntfs|data in its first/i },
    { is: 'squashfs', bytes: [[0, 'hsqs']], says: /squashfs|data in its first/ },
    { is: 'ISO 9660', bytes: [[32_769, 'CD001']], says: /iso9660|data in its first/ },
    { is: 'F2FS', bytes: [[1024, Buffer.from('1020f5f2', 'hex')]], says: /f2fs|data in its first/ },
    {
      is: 'bcache',
      bytes: [[4096 + 24, Buffer.from('c68573f64e1a45ca8265f57f48ba6d81', 'hex')]],
      says: /bcache|data in its first/i,
    },
    {
      is: 'DRBD at its end',
      bytes: [[-4096 + 60, Buffer.from('8374026b', 'hex')]],
      says: /DRBD|data in its last/,
    },
    {
      is: 'a signature of ZFS at its end',
      bytes: [[-256 * 1024 + 128 * 1024, Buffer.from('0cb1ba0000000000', 'hex')]],
      says: LAST,
    },
    { is: 'open exclusively', does: open('O_RDONLY | O_EXCL'), says: /in use by something/ },
    { is: 'open by somebody who writes', does: open('O_RDWR'), says: BLANK },
    { is: 'blank when planned, with ext4 when applied', says: BLANK },
    { is: 'blank when planned, gone when applied', says: BLANK },
    { is: 'blank, and stays so', says: BLANK },
  ],
]

/** A program that has the disk open until it is ended with the node. */
function open(how: string): string {
  const program = `use Fcntl; sysopen(F, $ARGV[0], ${how}) or die; sleep 3600`
  return `setsid perl -e '${program}' "$1" </dev/null >/dev/null 2>&1 & sleep 0.3`
}

/** Puts the bytes of a state into the file of a disk, which is all zeros. */
export function fill(file: string, { bytes = [], size = SIZE }: Found): void {
  const handle = openSync(file, 'r+')
  try {
    for (const [at, what] of bytes) {
      const buffer = typeof what === 'string' ? Buffer.from(what) : what
      writeSync(handle, buffer, 0, buffer.length, at < 0 ? size + at : at)
    }
  } finally {
    closeSync(handle)
  }
}
