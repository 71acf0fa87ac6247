import { describe, expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { kept } from '../../../src/provision/facts/kept.ts'
import { itemSteps, keptBy, waveOver } from '../../../src/provision/os/index.ts'
import type { Item } from '../../../src/provision/os/item.ts'
import { sha256 } from '../../../src/provision/os/now.ts'
import { Secret } from '../../../src/secret.ts'
import { BARE, factsOf, finished, unknown } from './node.ts'
import { all, file, gone, packages, steps, user } from './one-of-each.ts'

test('a bare node gets every item, in their order, and the manners of held packages and of units before them', () => {
  expect(steps(all, BARE).map(step => [step.risk, step.says])).toEqual([
    ['add', 'write /etc/apt/apt.conf.d/52llmagentos-story: unattended-upgrades leaves these packages alone'],
    ['add', 'write /etc/needrestart/conf.d/llmagentos-story.conf: needrestart leaves these units alone'],
    ['add', 'add user story: runs the story'],
    ['add', 'install broker, tools: the broker'],
    ['add', 'write /etc/story.conf: the story'],
    ['add', 'add our lines to /etc/hosts: names'],
    ['add', 'open tcp 5672 from 10.0.0.0/24 in ufw: the broker'],
    ['add', 'start broker.service: the broker'],
  ])
})

test('every step says in the manifest what it will leave', () => {
  expect(steps(all, BARE).flatMap(step => step.leaves.map(left => `${left.kind} ${left.name}`))).toEqual([
    'file /etc/apt/apt.conf.d/52llmagentos-story',
    'file /etc/needrestart/conf.d/llmagentos-story.conf',
    'user story',
    'package broker',
    'package tools',
    'hold broker',
    'hold tools',
    'file /etc/story.conf',
    'block /etc/hosts',
    'opening ufw tcp 5672 10.0.0.0/24',
    'unit broker.service',
  ])
})

test('a finished node has nothing to do and nothing to lose', () => {
  expect(steps(all, finished('story', all))).toEqual([])
  expect(gone(all, finished('story', all))).toEqual([])
})

test('what is no longer kept leaves, units first and users last, and what others keep stays', () => {
  const node = finished('story', all)
  const both = {
    ...node,
    kept: `${node.kept}kept\tother\tfile\t/etc/other\t\nkept\tstory\theld\t/var/lib/data\t\n`,
  }
  expect(gone([], both).map(step => step.says)).toEqual([
    'stop broker.service: it is no longer needed',
    'close what we opened: ufw tcp 5672 10.0.0.0/24',
    'take our lines out of /etc/hosts',
    'remove /etc/story.conf: it is no longer needed',
    'remove /etc/needrestart/conf.d/llmagentos-story.conf: it is no longer needed',
    'remove /etc/apt/apt.conf.d/52llmagentos-story: it is no longer needed',
    'no longer hold tools, broker',
    'remove the packages tools, broker; their configuration stays',
    'remove user story; its files stay',
  ])
  expect(gone([], both).flatMap(step => step.takes)).toHaveLength(11)
  expect(gone([user, packages], both).map(step => step.says)).not.toContain(
    'remove user story; its files stay',
  )
  expect(keptBy('n1', factsOf({ n1: both }))).toEqual(['story', 'other'])
})

test('systemd forgets a unit file that leaves', () => {
  const unitFile: Item = { ...file, path: '/etc/systemd/system/broker.service' }
  expect(gone([], finished('story', [unitFile])).map(step => step.says)).toEqual([
    'remove /etc/systemd/system/broker.service: it is no longer needed',
    'let systemd forget the units that were removed',
  ])
})

describe('packages', () => {
  const text = (lines: string[][]) => ({
    ...finished('story', []),
    packages: lines.map(l => `${l.join('\t')}\n`).join(''),
  })

  test('that were there before us are held, and are not ours to remove', () => {
    const planned = steps([packages], {
      ...finished('story', [packages]),
      kept: finished('story', [file]).kept.replace(/.*\n.*\n.*\n/, ''),
      packages: 'installed\tinstall\tok\t1\tbroker\ninstalled\thold\tok\t1\ttools\n',
    }).filter(step => !step.says.startsWith('write'))
    expect(planned.map(step => step.says)).toEqual(['hold broker: the broker'])
    expect(planned[0]!.leaves).toEqual([{ component: 'story', kind: 'hold', name: 'broker' }])
  })

  test('that are half there are installed, and what is broken is told', () => {
    const node = text([
      ['half-configured', 'install', 'ok', '1', 'broker'],
      ['installed', 'install', 'ok', '1', 'tools'],
      ['unpacked', 'install', 'ok', '1', 'foreign'],
      ['interrupted'],
    ])
    expect(steps([{ ...packages, held: false }], node).map(step => step.says)).toEqual([
      'install broker: the broker, after finishing what dpkg was interrupted in (broker, foreign, dpkg)',
    ])
  })

  test('of two architectures count once, and a removed one does not', () => {
    const node = text([
      ['installed', 'install', 'ok', '1', 'broker'],
      ['config-files', 'deinstall', 'ok', '1', 'broker'],
      ['config-files', 'deinstall', 'ok', '1', 'tools'],
    ])
    expect(steps([{ ...packages, held: false }], node).map(step => step.says)).toEqual([
      'install tools: the broker',
    ])
  })
})

test('a secret stands in no manifest and in no sentence, and its drift is seen', () => {
  const secret: Item = { ...file, text: new Secret('canary') }
  const planned = steps([secret], BARE)
  expect(JSON.stringify(planned)).not.toContain('canary')
  expect(JSON.stringify(planned)).not.toContain(sha256('canary'))
  const node = finished('story', [secret])
  expect(steps([secret], node)).toEqual([])
  expect(steps([{ ...secret, text: new Secret('other') } as Item], node)).toHaveLength(1)
})

test('a user who is there already is taken as he is', () => {
  expect(steps([user], { ...BARE, users: 'root\nstory\n' })).toEqual([])
})

test('a node that did not tell what it keeps is stopped, and the others go on', () => {
  const view = { nodes: [{ name: 'n1' }, { name: 'n2' }] } as Parameters<typeof waveOver>[0]
  const silent = unknown('n1', kept)
  const waves = waveOver(view, 'story', node => {
    const facts = node === 'n1' ? silent : factsOf({ n2: BARE })
    return itemSteps({ node, component: 'story', items: [user], facts })
  })
  expect(waves).toMatchObject([
    {
      steps: [{ node: 'n2', says: 'add user story: runs the story' }],
      stopped: [{ node: 'n1', why: 'n1 did not tell kept. no answer within 5 s' }],
    },
  ])
  expect(keptBy('n1', silent)).toEqual([])
  expect(() => silent.get('n1', kept)).toThrow(expect.objectContaining({ exit: EXIT.unreachable }))
})
