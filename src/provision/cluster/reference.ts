import type { Component } from '../components/component.ts'
import { registry } from '../components/index.ts'
import { clusterSchema } from './schema/index.ts'
import { expected, type Shape, shapeOf } from './schema/shape.ts'

/** The JSON schema of cluster.yaml, for editors. */
export function jsonSchema(components: Component[] = registry): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'cluster.yaml of llmagentos',
    ...clusterSchema(components),
  }
}

/** Every field in Markdown: docs/cluster-yaml.md is this text. */
export function reference(components: Component[] = registry): string {
  const shape = shapeOf(clusterSchema(components))
  const sections = Object.entries(shape.properties!)
  const plain = sections.filter(([, field]) => rows('', field).length === 0)
  const nested = sections.filter(([, field]) => rows('', field).length > 0)
  return [
    INTRODUCTION,
    '## At the top\n',
    table(plain.map(([key, field]) => row(key, field, shape.required!.includes(key)))),
    ...nested.flatMap(([key, field]) => {
      const needed = shape.required!.includes(key) ? 'Needed. ' : ''
      return [`## ${key}\n`, `${needed}${sentence(field.description)}\n`, table(rows('', field))]
    }),
  ].join('\n')
}

const INTRODUCTION = `# cluster.yaml

The file that describes a cluster of several machines. \`llmagentos init ops@10.0.0.11 ops@10.0.0.12\` looks at the machines and writes one with notes; \`templates/cluster/example.yaml\` is a full one.
\`cluster up -f cluster.yaml\`, which will bring the machines to what the file says, is being built: this version writes the file, knows its fields, and reaches the machines (\`llmagentos node\`, docs/guide/machines.md),
and \`cluster up\` without a file runs a whole cluster on one machine.

* Only \`name\`, \`ssh.user\` and of each node \`name\`, \`address\` and \`roles\` are needed.
* A field that is not listed here is refused, and so is a value that cannot work (two nodes with one address, two control nodes). All mistakes are listed at once, with line and column.
* \`\${NAME}\` in a value is the variable NAME of your environment; \`$\${\` stands for the two signs themselves. Inside of \`{ }\` and \`[ ]\` put it in quotes.
* Secrets do not belong here: keys and passwords are refused.
* YAML anchors and \`<<\` work.

For an editor: \`llmagentos cluster schema > cluster.schema.json\`. This page is \`llmagentos cluster schema --markdown\`.
`

interface Row {
  field: string
  value: string
  unsaid: string
  says: string
}

/** The fields below one, flat: \`storage.mtu\`, \`allow[].from\`. */
function rows(prefix: string, shape: Shape): Row[] {
  if (shape.selector) return []
  if (shape.anyOf) return shape.anyOf.flatMap(branch => rows(prefix, branch))
  if (shape.type === 'array') return rows(prefix === '' ? '' : `${prefix}[].`, shape.items!)
  return Object.entries(shape.properties ?? {}).flatMap(([key, field]) => [
    row(`${prefix}${key}`, field, shape.required?.includes(key) ?? false),
    ...rows(isList(field) ? `${prefix}${key}` : `${prefix}${key}.`, field),
  ])
}

const isList = ({ type, anyOf = [] }: Shape): boolean => type === 'array' || anyOf.some(isList)

function row(name: string, field: Shape, needed: boolean): Row {
  return {
    field: `\`${name}\``,
    value: accepted(field),
    unsaid: unsaid(field, needed),
    says: field.description ?? '',
  }
}

function accepted(shape: Shape): string {
  if (shape.selector) return 'a role, or labels such as {gpu: h200}'
  if (shape.anyOf) return shape.anyOf.map(accepted).join(', or ')
  if (shape.type === 'array')
    return shape.items!.type === 'object' ? 'a list' : `a list: ${accepted(shape.items!)}`
  if (shape.type === 'object') return shape.patternProperties ? 'names and words' : 'a mapping'
  if (shape.enum) return shape.enum.map(word => `\`${word}\``).join(' ')
  if (shape.const !== undefined) return `\`${shape.const}\``
  return expected(shape).replace(/^integer from (\d+) to (\d+)$/, 'integer, $1 to $2')
}

function unsaid(field: Shape, needed: boolean): string {
  if (needed) return 'needed'
  const value = field.default
  if (value === undefined || isEmpty(value)) return ''
  return `\`${Array.isArray(value) ? `[${value.join(', ')}]` : value}\``
}

const isEmpty = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

function table(all: Row[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const lines = all.map(r => `| ${[r.field, r.value, r.unsaid, r.says].map(cell).join(' | ')} |`)
  return `${['| field | value | default | |', '|---|---|---|---|', ...lines].join('\n')}\n`
}

const sentence = (text = '') => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
