import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { packageRoot } from '../../../src/assets.ts'
import { exampleFile } from '../../../src/provision/cluster/init.ts'
import { jsonSchema, reference } from '../../../src/provision/cluster/reference.ts'
import { clusterSchema } from '../../../src/provision/cluster/schema/index.ts'
import { type Shape, shapeOf } from '../../../src/provision/cluster/schema/shape.ts'
import { registry } from '../../../src/provision/components/index.ts'

const shape = shapeOf(clusterSchema(registry))

test('docs/cluster-yaml.md is what cluster schema --markdown prints', () => {
  const written = readFileSync(join(packageRoot(), 'docs/cluster-yaml.md'), 'utf8')
  expect(written, 'write it again: llmagentos cluster schema --markdown > docs/cluster-yaml.md').toBe(
    reference(),
  )
})

test('every field has a description, and is needed, optional or has a default', () => {
  const poor = fieldsOf(shape, '').filter(({ field }) => !field.description?.trim())
  expect(poor.map(f => f.path)).toEqual([])
})

test('every field stands in the example and in the reference', () => {
  const text = reference()
  const given = parseDocument(readFileSync(exampleFile(), 'utf8')).toJS()
  const keys = new Set(keysOf(given))
  // Of a node's own way only two fields are shown; the note beside them names the others. UDP is as TCP.
  const named = ['ssh.user', 'ssh.port', 'ssh.identityFile', 'ssh.bastion', 'allow.udp']
  const missing = fieldsOf(shape, '').filter(
    ({ path, key }) => !keys.has(path) && !named.some(one => path.endsWith(one)) && key !== 'recovery',
  )
  expect(missing.map(f => f.path)).toEqual([])
  expect(fieldsOf(shape, '').filter(f => !text.includes(f.key))).toEqual([])
})

test('the JSON schema is one that ajv takes, and the example is valid by it', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false })
  const valid = ajv.compile(jsonSchema())
  expect(valid(parseDocument(readFileSync(exampleFile(), 'utf8')).toJS()), JSON.stringify(valid.errors)).toBe(
    true,
  )
})

interface Field {
  path: string
  key: string
  field: Shape
}

function fieldsOf(at: Shape, path: string): Field[] {
  const below = [...(at.anyOf ?? []), ...(at.items ? [at.items] : [])].flatMap(s => fieldsOf(s, path))
  const own = Object.entries(at.properties ?? {}).flatMap(([key, field]) => {
    const here = path ? `${path}.${key}` : key
    return [{ path: here, key, field }, ...fieldsOf(field, here)]
  })
  return [...below, ...own]
}

function keysOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap(one => keysOf(one, path))
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([k, v]) => keysOf(v, path ? `${path}.${k}` : k))]
}
