import { expect, test } from 'vitest'
import type { Item } from '../../../src/provision/os/item.ts'
import { sha256 } from '../../../src/provision/os/now.ts'
import { finished } from './node.ts'
import { block, file, opening, steps, unit } from './one-of-each.ts'

const path = '/etc/story.conf'
const drifts: [string, Item[], (printed: string) => string, string[]][] = [
  [
    'edited',
    [file],
    text => text.replace(/sum\t\w+/, `sum\t${'0'.repeat(64)}`),
    [`put back ${path}: edited by hand (the story)`],
  ],
  [
    'removed',
    [file],
    text => text.replace(/^(file|sum)\t.*\n/gm, ''),
    [`put back ${path}: it is gone (the story)`],
  ],
  [
    'a link',
    [file],
    text => text.replace(/\t81\w\w\t/, '\ta1ff\t'),
    [`put back ${path}: it is no file any more (the story)`],
  ],
  [
    'open to all',
    [file],
    text => text.replace(/\t81\w\w\t/, '\t81b6\t'),
    [`put back ${path}: 0640 root:story in place of 0666 root:story (the story)`],
  ],
  [
    'of another owner',
    [file],
    text => text.replace('root:story', 'root:root'),
    [`put back ${path}: 0640 root:story in place of 0640 root:root (the story)`],
  ],
  [
    'a block that is gone',
    [block],
    text => text.replace(/block\tstory.*\n/, ''),
    ['put back our lines in /etc/hosts: they are gone (names)'],
  ],
  [
    'a block without its end',
    [block],
    text => text.replace(/(block\tstory\t.*\t)\w+\n/, '$1damaged\n'),
    ['put back our lines in /etc/hosts: edited by hand (names)'],
  ],
  [
    'an opening that is closed',
    [opening],
    text => text.replace(/opening\tufw.*\n$/, ''),
    ['put back tcp 5672 from 10.0.0.0/24 in ufw: the broker'],
  ],
  [
    'stopped',
    [unit],
    text => text.replace('ActiveState=active', 'ActiveState=failed'),
    ['start broker.service: it is failed (the broker)'],
  ],
  [
    'disabled',
    [unit],
    text => text.replace('=enabled', '=disabled'),
    ['put back broker.service: it is disabled'],
  ],
  [
    'stale',
    [unit],
    text => text.replace('Reload=no', 'Reload=yes'),
    ['restart broker.service: its unit changed'],
  ],
  [
    'started from something else',
    [unit],
    text => text.replace('\tabc', '\tabd'),
    ['restart broker.service: its settings changed'],
  ],
  [
    'silent about its start',
    [unit],
    text => text.replace(/inputs\t.*/, ''),
    ['restart broker.service: its settings changed'],
  ],
]

test.each(drifts)('what is %s is put back', (_, items, drift, says) => {
  const node = finished('story', items)
  const drifted = { ...node, kept: drift(node.kept) }
  expect(drifted.kept).not.toBe(node.kept)
  expect(steps(items, drifted).map(step => step.says)).toEqual(says)
})

test('a new text is no edit by hand', () => {
  const node = finished('story', [file, block])
  const newer = [
    { ...file, text: 'a = 2\n' },
    { ...block, text: '10.0.0.2 one\n' },
  ] as Item[]
  const planned = steps(newer, node)
  expect(planned.map(step => step.says)).toEqual([
    `change ${path}: the story`,
    'change our lines in /etc/hosts: names',
  ])
  expect(planned.map(step => step.leaves[0]?.digest)).toEqual([sha256('a = 2\n'), sha256('10.0.0.2 one')])
})

test('a unit restarts when its own file is put back, and not for the file of another', () => {
  const unitFile = (name: string): Item => ({ ...file, path: `/etc/systemd/system/${name}` })
  const after = (name: string) => {
    const node = finished('story', [unitFile(name), unit])
    const at = node.kept.lastIndexOf('sum\t')
    const drifted = `${node.kept.slice(0, at)}sum\t${'0'.repeat(64)}${node.kept.slice(at + 68)}`
    return steps([unitFile(name), unit], { ...node, kept: drifted }).map(step => step.says)
  }
  expect(after('broker.service')).toHaveLength(2)
  expect(after('broker.service.d/limits.conf')[1]).toBe('restart broker.service: its unit changed')
  expect(after('broker.socket')).toHaveLength(1)
})
