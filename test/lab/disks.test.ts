import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Disks, diskNamed } from '../../src/provision/disks/disk.ts'
import { disks as fact } from '../../src/provision/disks/fact.ts'
import { stateOf } from '../../src/provision/disks/guard.ts'
import { taking } from '../../src/provision/disks/take.ts'
import { type Found, fill, SIZE, STATES } from './disks/states.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'
import { output } from './parts/commands.ts'

storiesOfTheLab()

const MINUTES = 60_000

/** Stands in for what makes an OSD: it writes into the first and the last bytes, as that does. */
const WRITER =
  'set -e; for at in 0 $(($(blockdev --getsize64 "$1") / 512 - 1)); do printf taken | dd of="$1" bs=512 seek=$at conv=notrunc,fsync status=none; done; rm "$1"'

// Holes are passed over, and so are zeros that were written: the same bytes have one digest, however they lie.
const DIGEST = `perl -e 'open(F, "<", $ARGV[0]) or die; my $at = 0;
while (defined($at = sysseek(F, $at, 3))) { sysread(F, my $b, 65536 - $at % 65536) or last; print "$at\\n$b" if $b =~ tr/\\0//c; $at += length $b }' "$1" | sha256sum`

describe.each(
  STATES.map((states, i) => [i + 1, states] as const),
)('disks in states, part %i', (_, states) => {
  let lab: Lab
  let node: LabNode
  let first: Disks
  const nameOf = new Map<Found, string>()

  const name = (one: Found) => nameOf.get(one)!
  const device = (one: Found) => name(one).replace('virtio-lab-', '/dev/')
  const file = (one: Found) =>
    join(lab.folder, 'nodes/n1/disks', `${name(one).replace('virtio-lab-', '')}.img`)
  const look = async () => fact.parse(await node.run(fact.script))
  const wordsOf = (there: Disks, one: Found) => {
    const disk = diskNamed(there, name(one))
    const state = disk && stateOf(disk)
    if (!state) return 'gone'
    return state.state === 'refused' ? state.why.join(', ') : state.state === 'unknown' ? state.why : 'blank'
  }

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ nodes: 1, flavour: 'bare' })
    node = lab.node('n1')
    for (const one of states) {
      const path = await node.addDisk(String(one.size ?? SIZE))
      nameOf.set(one, path.replace('/dev/', 'virtio-lab-'))
      fill(file(one), one)
      if (one.does) await node.run(`set -- ${path}; ${one.does}`)
    }
    await node.run('sync; for one in /dev/vd?; do blockdev --flushbufs $one; done')
  }, 5 * MINUTES)
  afterAll(async () => {
    // A loop device stays read-only for whoever gets it next.
    await node?.run('for one in /dev/vd?; do blockdev --setrw $one; done')
    await lab?.close()
  }, 2 * MINUTES)

  test('each is told for what it is, and looking changes nothing', async () => {
    const before = digests()
    first = await look()
    for (const one of states) expect(wordsOf(first, one), one.is).toMatch(one.says)
    await look()
    expect(digests()).toEqual(before)
  })

  test(
    'names that mean other disks between plan and apply cost no byte of those with anything on them',
    async () => {
      const protectedOnes = states.filter(one => wordsOf(first, one) !== 'blank')
      const before = digests(protectedOnes)
      // Every name means the disk of the next one; what was planned for one of them meets another.
      const paths = states.map(device)
      await node.run(
        paths.map((path, i) => `mv ${path} /dev/was-${i}`).join('; ') +
          `; ${paths.map((path, i) => `mv /dev/was-${(i + 1) % paths.length} ${path}`).join('; ')}`,
      )
      const ends = []
      for (const one of states) ends.push(await take(one))
      expect(digests(protectedOnes)).toEqual(before)
      // Where the next disk has something on it, that is what the step says.
      for (const [i, one] of states.entries()) {
        const next = states[(i + 1) % states.length]!
        if (wordsOf(first, next) === 'blank') continue
        expect(ends[i], `${one.is}, which is ${next.is} now`).toMatchObject({
          code: 9,
          stderr: expect.stringMatching(/was left as it is/),
        })
      }
      await node.run(
        paths.map((path, i) => `mv ${path} /dev/was-${(i + 1) % paths.length}`).join('; ') +
          `; ${paths.map((path, i) => `mv /dev/was-${i} ${path}`).join('; ')}`,
      )
    },
    3 * MINUTES,
  )

  test(
    'of the same names only blank ones are taken, and only once',
    async () => {
      const again = await look()
      const blank = states.filter(one => wordsOf(again, one) === 'blank')
      const changed = states.find(one => one.is.includes('with ext4 when applied'))
      const gone = states.find(one => one.is.includes('gone when applied'))
      if (changed && blank.includes(changed)) await node.run(`mkfs.ext4 -q -F ${device(changed)} 1G; sync`)
      if (gone) await node.run(`mv ${device(gone)} /dev/gone`)
      const others = states.filter(one => !blank.includes(one) || one === changed || one === gone)
      const before = digests(others)
      for (const one of states) {
        const taken = await take(one, again)
        const opened = one.is.startsWith('open')
        const may = !others.includes(one) && !opened
        expect(taken.code, `${one.is}: ${taken.stderr}`).toBe(may ? 0 : 9)
      }
      expect(digests(others)).toEqual(before)
      const after = await look()
      for (const one of blank.filter(one => !others.includes(one) && !one.is.startsWith('open')))
        expect(wordsOf(after, one), one.is).toMatch(/data in its first 4 MiB, has data in its last/)
    },
    3 * MINUTES,
  )

  const take = async (one: Found, there = first) => {
    const disk = diskNamed(there, name(one))!
    return node.ssh(taking({ name: name(one), disk }, ['sh', '-c', WRITER, 'sh']))
  }

  /** When it was written last, so that zeros over zeros count, and all of its bytes. */
  const digests = (of: Found[] = states) =>
    of.map(one => `${one.is} ${statSync(file(one)).mtimeMs} ${output('sh', ['-c', DIGEST, 'sh', file(one)])}`)
})

test('forty states differ', () => {
  expect(STATES.flat().length).toBe(40)
  expect(new Set(STATES.flat().map(one => one.is)).size).toBe(40)
})
