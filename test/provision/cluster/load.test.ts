import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Type from 'typebox'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/assets.ts'
import { exampleFile } from '../../../src/provision/cluster/init.ts'
import { load, parse } from '../../../src/provision/cluster/load.ts'
import { print } from '../../../src/provision/cluster/print.ts'
import { ClusterFileError } from '../../../src/provision/cluster/problems.ts'
import {
  block,
  byDefault,
  duration,
  percent,
  selector,
} from '../../../src/provision/cluster/schema/fields.ts'
import { base } from '../../../src/provision/components/base/index.ts'
import type { Component } from '../../../src/provision/components/component.ts'
import { tempFolder } from '../../helpers/temp.ts'

const SMALL = 'name: c\nssh: {user: ops}\nnodes: [{name: a, address: 10.0.0.1, roles: [control]}]\n'
const WANTED = readFileSync(join(packageRoot(), 'test/provision/cluster/wanted.yaml'), 'utf8')

test('a file with only what is needed gets every default', () => {
  expect(parse(SMALL, { env: {} })).toMatchInlineSnapshot(`
    {
      "artifacts": {},
      "components": {},
      "firewall": {
        "allow": [],
        "mode": "ours",
      },
      "gateway": {
        "from": [
          {
            "address": "0.0.0.0",
            "prefixLength": 0,
          },
        ],
        "names": [],
        "port": 7420,
      },
      "maintenance": {
        "disrupt": 1,
        "reboot": "ask",
      },
      "models": [],
      "name": "c",
      "network": {
        "domain": "c.internal",
        "family": "ipv4",
      },
      "nodes": [
        {
          "address": "10.0.0.1",
          "disks": [],
          "labels": {},
          "memory": {
            "reserveBytes": 0,
          },
          "name": "a",
          "roles": [
            "control",
          ],
          "ssh": {
            "host": "10.0.0.1",
            "user": "ops",
          },
          "state": "active",
        },
      ],
      "scale": {
        "order": [],
      },
      "site": {
        "apt": {},
        "time": [],
      },
      "ssh": {
        "client": "auto",
        "sudo": "ask",
        "user": "ops",
      },
      "version": 1,
    }
  `)
})

test('a node may have its address as its name', () => {
  expect(parse(SMALL.replace('10.0.0.1', 'a'), { env: {} }).nodes[0]).toMatchObject({
    name: 'a',
    address: 'a',
  })
})

describe('the file that an operator would want', () => {
  test('is taken but for the components that this version does not have', () => {
    expect(problemsOf(WANTED)).toEqual([
      'components/ceph/osd/memory: is not known here',
      'components/ceph/failureDomain: is not known here',
      'components/runtime/replicas/task: is not known here',
      'components/ollama/driver: is not known here',
    ])
  })

  test('means the same as the example that is shipped', () => {
    const components = /^components:\n(?: .*\n)+/m
    expect(WANTED).toMatch(components)
    const here =
      'components: {base: {}, secrets: {}, rabbitmq: {source: distro, on: control}, ceph: {source: {mirror: "https://mirror.example.org/debian-tentacle", key: /usr/share/keyrings/mirror.asc}, release: tentacle, osd: {backend: lvm, encrypt: true, dbSize: 120GiB, failureDomain: rack}, object: {gateways: 3, fullAt: 80%}, file: {mounts: [{on: worker, path: /srv/shared}]}, block: {on: worker}, config: {mon_data_avail_warn: 10}}, ollama: {release: 0.32.15, models: {path: /var/lib/ollama, minFree: 100GiB}, settings: [{on: {gpu: h200}, parallel: 8, loaded: 4, queue: 512, keepAlive: 30m, context: 32768, flashAttention: true, kvCache: q8_0}, {on: {gpu: rtx4090}, parallel: 2, loaded: 1, cards: [0]}]}, runtime: {replicas: {gateway: 3, data: 3, auth: 3, llm: 3, executor: 4}, auth: {maxStale: 1s}}}\n'
    expect(load(exampleFile(), {})).toEqual(parse(WANTED.replace(components, here), { env: {} }))
  })
})

describe('variables of the environment', () => {
  const text = SMALL.replace('{user: ops}', `{user: "\${WHO}", port: "\${SSH_PORT}"}`)

  test('stand for text and numbers, whatever the field wants', () => {
    const { ssh } = parse(text, { env: { WHO: 'root', SSH_PORT: '2222' } })
    expect(ssh).toMatchObject({ user: 'root', port: 2222 })
  })

  test('are checked like what stands in the file', () => {
    expect(problemsOf(text, { WHO: 'a b', SSH_PORT: 'x' })).toEqual([
      'ssh/user: must be the name of a user',
      'ssh/port: must be integer from 1 to 65535',
    ])
  })

  test('cannot bring YAML of their own', () => {
    expect(problemsOf(text, { WHO: 'ops, sudo: passwordless', SSH_PORT: '22' })).toHaveLength(1)
  })

  test('are left alone behind a second $, also when the cluster is printed and read again', () => {
    const cluster = parse(
      SMALL.replace('{user: ops}', () => `{user: ops, identityFile: "/k/$\${A}/b"}`),
      {
        env: {},
      },
    )
    expect(cluster.ssh.identityFile).toBe(`/k/\${A}/b`)
    expect(parse(print(cluster), { env: {} })).toEqual(cluster)
  })
})

test('anchors and merge keys are followed, and what a map says itself comes first', () => {
  const cluster = parse(
    `name: c
ssh: {user: ops}
nodes:
  - &gpu {name: a, address: 10.0.0.1, roles: &roles [worker], labels: {gpu: h200}, state: standby}
  - {<<: *gpu, name: b, address: 10.0.0.2, state: active}
  - {name: d, address: 10.0.0.3, roles: [control]}
`,
    { env: {} },
  )
  expect(cluster.nodes[1]).toMatchObject({
    name: 'b',
    roles: ['worker'],
    labels: { gpu: 'h200' },
    state: 'active',
  })
})

describe("a component's block", () => {
  const component: Component = {
    ...base,
    name: 'cache',
    needs: [],
    gives: [],
    schema: block('a cache', {
      keep: byDefault('90s', duration('how long')),
      full: byDefault('80%', percent('when it is full')),
      on: Type.Optional(selector('where')),
    }),
  }
  const components = [component]

  test('is checked by its own schema, with its units and selectors', () => {
    const text = `${SMALL}components: {cache: {keep: 2h, on: control}}\n`
    expect(parse(text, { env: {}, components }).components).toEqual({
      cache: { keepMs: 7_200_000, fullPercent: 80, on: 'control' },
    })
    expect(problemsOf(`${SMALL}components: {cache: {on: {rack: r1}}}\n`, {}, components)).toEqual([
      'components/cache/on: no node has the label rack: r1',
    ])
  })

  test('may be empty, and is not there when the file does not name it', () => {
    const empty = parse(`${SMALL}components:\n  cache:\n`, { env: {}, components })
    expect(empty.components).toEqual({ cache: { keepMs: 90_000, fullPercent: 80 } })
    expect(parse(SMALL, { env: {}, components }).components).toEqual({})
  })
})

describe('a file that cannot be read', () => {
  test('is named with the reason', () => {
    const folder = tempFolder()
    const write = (name: string, bytes: string | Buffer) => {
      writeFileSync(join(folder, name), bytes)
      return join(folder, name)
    }
    expect(() => load(join(folder, 'none.yaml'), {})).toThrow(/none.yaml cannot be read/)
    expect(() => load(folder, {})).toThrow(/cannot be read/)
    expect(() => load(write('bytes', Buffer.from([0x6e, 0xff, 0xfe])), {})).toThrow(/cannot be read/)
    expect(() => load(write('large', `#${'x'.repeat(1024 * 1024)}`), {})).toThrow(/cannot be read/)
    expect(() => load(write('deep', '['.repeat(50_000)), {})).toThrow(ClusterFileError)
  })

  test('by aliases of aliases grows to no more than it may', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${i ? `*a${i - 1}, `.repeat(9) : ''}x]`,
    )
    expect(problemsOf(`${levels.join('\n')}\n${SMALL}`)).toContainEqual(
      expect.stringContaining('too many aliases'),
    )
  })
})

test('a byte order mark and line breaks of Windows do no harm', () => {
  expect(parse(`\ufeff${SMALL.replaceAll('\n', '\r\n')}`, { env: {} })).toEqual(parse(SMALL, { env: {} }))
})

function problemsOf(text: string, env: Record<string, string> = {}, components?: Component[]): string[] {
  try {
    parse(text, { env, components })
    return []
  } catch (thrown) {
    if (!(thrown instanceof ClusterFileError)) throw thrown
    return thrown.problems.map(p => `${p.path.join('/')}: ${p.says}`)
  }
}
