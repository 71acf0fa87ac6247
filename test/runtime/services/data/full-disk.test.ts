import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../helpers/temp.ts'
import { program } from './program.ts'

/** A disk of its own for the words that follow, in a mount namespace that goes with them. */
const onSmallDisk = (folder: string, size: string, words: string[]) =>
  spawnSync(
    'unshare',
    [
      '--user',
      '--map-root-user',
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"',
      'sh',
      size,
      folder,
      ...words,
    ],
    { encoding: 'utf8', timeout: 60_000 },
  )

const able = onSmallDisk('/mnt', '1m', ['true']).status === 0
const why = able ? '' : ' (skipped: no user namespaces here to mount a small disk in)'

test.skipIf(!able)(
  `a full disk is said as 507, loses nothing and leaves nothing half-written${why}`,
  async () => {
    const folder = tempFolder()
    const end = onSmallDisk(folder, '24m', [process.execPath, await program('full-disk'), folder])
    expect(end.status, end.stderr).toBe(0)
    const found = JSON.parse(end.stdout) as { refusals: unknown[]; stored: number[] }
    expect(found).toMatchObject({ objectsListed: true, blobs: true, objects: true, records: true })
    expect(found.refusals.length).toBeGreaterThanOrEqual(2)
    for (const refusal of found.refusals) expect(refusal).toEqual([507, 'disk_full'])
    for (const stored of found.stored) expect(stored).toBeGreaterThan(0)
  },
)
