import type { ListedDisk } from '../../provision/index.ts'

/** How tables show a disk. */
export const diskRow = ({ id, path, sizeBytes, serial, rotational, state, why }: ListedDisk): string[] => [
  id,
  path,
  `${(sizeBytes / 1024 ** 3).toFixed(1)} GiB`,
  serial || '-',
  rotational ? 'hdd' : path.startsWith('/dev/nvme') ? 'nvme' : 'ssd',
  state === 'blank' ? 'blank' : state === 'unknown' ? `unknown: ${why.join(', ')}` : why.join(', '),
]
