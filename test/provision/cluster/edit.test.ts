import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { edit, edited } from '../../../src/provision/cluster/edit.ts'
import { exampleFile } from '../../../src/provision/cluster/init.ts'
import { load } from '../../../src/provision/cluster/load.ts'
import type { Path } from '../../../src/provision/cluster/problems.ts'
import { tempFolder } from '../../helpers/temp.ts'

const EXAMPLE = readFileSync(exampleFile(), 'utf8')

describe('one change', () => {
  const changes: [string, Path, unknown][] = [
    ['a number', ['gateway', 'port'], 8443],
    ['a word in braces', ['nodes', 6, 'state'], 'active'],
    ['a text that needs quotes', ['models', 0, 'name'], 'a: b'],
    ['a list in brackets', ['scale', 'order'], ['h200']],
    ['a new field in braces', ['nodes', 4, 'state'], 'standby'],
    ['a new field in lines', ['nodes', 0, 'state'], 'standby'],
    ['a new field at the top, below one that is not there', ['components', 'base'], {}],
    ['a new entry in brackets', ['gateway', 'from', 1], '192.168.0.0/16'],
    ['a new entry in lines', ['models', 2], { name: 'qwen3:8b', replicas: 1 }],
    ['a new node', ['nodes', 7], { name: 'gpu5', address: '10.0.0.25', roles: ['worker'] }],
    ['a field taken out of braces', ['network', 'storage', 'mtu'], undefined],
    ['the first field taken out of braces', ['nodes', 4, 'name'], undefined],
    ['a field taken out of lines', ['gateway', 'vip'], undefined],
    ['an entry taken out of brackets', ['site', 'time', 0], undefined],
    ['a node taken out', ['nodes', 5], undefined],
    ['a section taken out', ['scale'], undefined],
    ['a field that is not there taken out', ['network', 'nothing'], undefined],
  ]

  test.each(changes)('of %s touches its own line and nothing else', (_, path, value) => {
    const after = edited(EXAMPLE, { path, value })
    const lines = { before: EXAMPLE.split('\n'), after: after.split('\n') }
    const gone = lines.before.filter(line => !lines.after.includes(line))
    const come = lines.after.filter(line => !lines.before.includes(line))
    expect({ gone, come }).toMatchSnapshot()
    expect(gone.length).toBeLessThanOrEqual(1)
    const doc = parseDocument(EXAMPLE)
    if (value === undefined) doc.deleteIn(path)
    else doc.setIn(path, value)
    expect(parseDocument(after).toJS()).toEqual(doc.toJS())
  })

  test('to the value that is there changes no byte', () => {
    expect(edited(EXAMPLE, { path: ['gateway', 'from'], value: ['10.0.0.0/8'] })).toBe(EXAMPLE)
  })

  test('in any field keeps all comments, and every other line', () => {
    const kinds = new Map(
      scalarPaths(parseDocument(EXAMPLE).toJS(), []).map(p => [p.join('/').replace(/\d+/g, '*'), p]),
    )
    const paths = [...kinds.values()]
    expect(paths.length).toBeGreaterThan(40)
    for (const path of paths) {
      const after = edited(EXAMPLE, { path, value: 'changed' })
      expect(comments(after)).toEqual(comments(EXAMPLE))
      const same = EXAMPLE.split('\n').filter((line, i) => line === after.split('\n')[i]).length
      expect(same, path.join('/')).toBe(EXAMPLE.split('\n').length - 1)
    }
  })

  test.each([
    [
      'behind nothing',
      'a: 1\ngateway:\nb: 2\n',
      ['gateway'],
      { port: 1 },
      'a: 1\ngateway: {port: 1}\nb: 2\n',
    ],
    ['without a last line break', 'a: 1\nb: 2', ['c'], 3, 'a: 1\nb: 2\nc: 3'],
    ['with line breaks of Windows', 'a: 1\r\nb: 2 # two\r\n', ['c'], 3, 'a: 1\r\nb: 2 # two\r\nc: 3\r\n'],
    ['of a field below nothing', 'a: 1\n', ['scale', 'worker'], '1..2', 'a: 1\nscale: {worker: 1..2}\n'],
    ['that looks like a variable', 'a: 1\n', ['a'], `\${X}`, `a: "$\${X}"\n`],
    ['over several lines', 'a: |\n  x\n  y\n# note\nb: 2\n', ['a'], 'z', 'a: |-\n  z\n# note\nb: 2\n'],
  ] as [string, string, Path, unknown, string][])('%s', (_, before, path, value, after) => {
    expect(edited(before, { path, value })).toBe(after)
  })
})

describe('what several places share', () => {
  const text = 'base: &b {mtu: 1}\none: *b\ntwo: {<<: *b, x: 1}\nthree: &own [1]\n'

  test('is not changed for all of them', () => {
    expect(() => edited(text, { path: ['one', 'mtu'], value: 2 })).toThrow('one is the alias *b')
    expect(() => edited(text, { path: ['base', 'mtu'], value: 2 })).toThrow('base has the anchor &b')
  })

  test('is left as it is where one of them gets its own', () => {
    expect(edited(text, { path: ['one'], value: 2 })).toBe(text.replace('one: *b', 'one: 2'))
    expect(edited(text, { path: ['two', 'mtu'], value: 2 })).toBe(text.replace('x: 1}', 'x: 1, mtu: 2}'))
  })

  test('that nobody uses keeps its name', () => {
    expect(edited(text, { path: ['three', 0], value: 2 })).toBe(text.replace('[1]', '[2]'))
  })
})

describe('the file', () => {
  function copy(): { folder: string; file: string } {
    const folder = tempFolder()
    const file = join(folder, 'cluster.yaml')
    writeFileSync(file, EXAMPLE, { mode: 0o640 })
    return { folder, file }
  }

  test('gets all changes at once, keeps its mode, and leaves nothing beside it', () => {
    const { folder, file } = copy()
    const changes = [
      { path: ['nodes', 6, 'state'], value: 'active' },
      { path: ['models', 1, 'replicas'], value: 4 },
    ]
    expect(edit(file, changes, {})).toBe(true)
    const cluster = load(file, {})
    expect([cluster.nodes[6]!.state, cluster.models[1]!.replicas]).toEqual(['active', 4])
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(readdirSync(folder)).toEqual(['cluster.yaml'])
    expect(edit(file, changes, {})).toBe(false)
  })

  test('stays as it was when the result would not load', () => {
    const { folder, file } = copy()
    const port = { path: ['gateway', 'port'], value: 70_000 }
    expect(() => edit(file, [port], {})).toThrow('1 mistake')
    expect(readFileSync(file, 'utf8')).toBe(EXAMPLE)
    expect(readdirSync(folder)).toEqual(['cluster.yaml'])
  })

  test('behind a link is changed where it lies', () => {
    const { folder, file } = copy()
    const link = join(folder, 'link.yaml')
    symlinkSync('cluster.yaml', link)
    edit(link, [{ path: ['gateway', 'port'], value: 8443 }], {})
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(load(file, {}).gateway.port).toBe(8443)
  })
})

function comments(text: string): string[] {
  return [...text.matchAll(/(^|\s)#.*$/gm)].map(m => m[0].trim())
}

function scalarPaths(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, one]) =>
    scalarPaths(one, [...path, Array.isArray(value) ? Number(key) : key]),
  )
}
