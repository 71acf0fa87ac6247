import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parseDocument, stringify } from 'yaml'
import { exampleFile } from '../../../src/provision/cluster/init.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import { print } from '../../../src/provision/cluster/print.ts'
import { ClusterFileError, type Path } from '../../../src/provision/cluster/problems.ts'
import { jsonSchema } from '../../../src/provision/cluster/reference.ts'
import { FORMATS, type Format } from '../../../src/provision/cluster/schema/formats.ts'

const EXAMPLE = parseDocument(readFileSync(exampleFile(), 'utf8')).toJS()
const WRONG = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'no such word',
  '10.0.0.0/24',
  'x'.repeat(10_000),
  '\u0000',
  [],
  [[]],
  [null],
  {},
  { x: 1 },
  JSON.parse('{"__proto__": {"a": 1}}'),
  { constructor: 1 },
]
/** One path of each kind: what is tried on one node need not be tried on the next. */
const fields = [...new Map(pathsOf(EXAMPLE, []).map(p => [p.join('/').replace(/\d+/g, '*'), p])).values()]

test('the example has every kind of field', () => {
  expect(fields.length).toBeGreaterThan(70)
})

describe('any value in any field', () => {
  // JSON schema has no words for what `${` means, for nothing behind a key, or for numbers that only look like another type.
  const ajv = new Ajv({ strict: false, formats: formats(), validateSchema: false })
  const valid = ajv.compile(jsonSchema())

  // Some thousand files are read: seconds on a quiet machine, minutes on a busy one.
  const timeout = 300_000
  test('is taken or refused with paths and places, never a crash; and the JSON schema says the same', {
    timeout,
  }, () => {
    let refused = 0
    for (const path of fields)
      for (const value of WRONG) {
        const data = structuredClone(EXAMPLE)
        set(data, path, value)
        const problems = problemsOf(stringify(data))
        if (problems.length > 0) refused++
        for (const p of problems) {
          expect(p.says, path.join('/')).not.toBe('')
          expect(p.at?.line, path.join('/')).toBeGreaterThan(0)
        }
        // What the schema refuses is refused; the checks behind it may refuse more.
        if (value !== null && !valid(data))
          expect(problems, `${path.join('/')} = ${JSON.stringify(value)}`).not.toEqual([])
        if (value !== null && valid(data))
          expect(
            problems.filter(p => p.says.startsWith('must be')),
            `${path.join('/')} = ${JSON.stringify(value)}`,
          ).toEqual([])
      }
    expect(refused).toBeGreaterThan(fields.length * WRONG.length * 0.5)
  })
})

test('a field taken out of the example is a default or a named mistake', () => {
  for (const path of fields) {
    const data = structuredClone(EXAMPLE)
    remove(data, path)
    for (const p of problemsOf(stringify(data))) expect(p.says).not.toBe('')
  }
})

test('an unknown key in any place is refused at its own path', () => {
  for (const path of fields.filter(
    p => isMap(get(EXAMPLE, p)) && !p.includes('labels') && !p.includes('on') && !p.includes('config'),
  )) {
    const data = structuredClone(EXAMPLE)
    set(data, [...path, 'zzz'], 1)
    expect(problemsOf(stringify(data)).map(p => p.path)).toContainEqual([...path, 'zzz'])
  }
})

describe('a printed cluster', () => {
  test('loads as the same cluster, whatever was left out and chosen before', () => {
    const random = mulberry(20)
    let taken = 0
    for (let i = 0; i < 40; i++) {
      let data = structuredClone(EXAMPLE)
      for (let k = 0; k < 12; k++) {
        const path = fields[Math.floor(random() * fields.length)]!
        const next = structuredClone(data)
        if (typeof get(next, path) === 'number') set(next, path, 1 + Math.floor(random() * 5000))
        else remove(next, path)
        if (problemsOf(stringify(next)).length > 0) continue
        data = next
        taken++
      }
      const cluster = parse(stringify(data), { env: {} })
      const again = parse(print(cluster), { env: {} })
      expect(again).toEqual(cluster)
      expect(print(again)).toBe(print(cluster))
    }
    expect(taken).toBeGreaterThan(100)
  })
})

function problemsOf(text: string) {
  try {
    parse(text, { env: {} })
    return []
  } catch (thrown) {
    if (thrown instanceof ClusterFileError) return thrown.problems
    throw thrown
  }
}

function formats() {
  const all = Object.entries(FORMATS as Record<string, Format>)
  return Object.fromEntries(
    all.map(([name, f]) => [name, (text: string) => f.read(text).value !== undefined]),
  )
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function pathsOf(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value)
  return [
    ...(path.length > 0 ? [path] : []),
    ...keys.flatMap(key => pathsOf(get(value, [key]), [...path, key])),
  ]
}

function get(value: unknown, path: Path): unknown {
  return path.reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], value)
}

function set(value: unknown, path: Path, to: unknown): void {
  const parent = get(value, path.slice(0, -1))
  if (typeof parent === 'object' && parent !== null) (parent as Record<string, unknown>)[path.at(-1)!] = to
}

function remove(value: unknown, path: Path): void {
  const parent = get(value, path.slice(0, -1))
  if (Array.isArray(parent)) parent.splice(Number(path.at(-1)), 1)
  else if (isMap(parent)) delete parent[path.at(-1)!]
}

/** A small generator with a seed, so that a failure comes again. */
function mulberry(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
