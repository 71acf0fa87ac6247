import { expect, test } from 'vitest'
import { parse } from '../../../../src/provision/cluster/load.ts'
import type { View } from '../../../../src/provision/components/component.ts'
import { ollama } from '../../../../src/provision/components/ollama/index.ts'
import type { Config } from '../../../../src/provision/components/ollama/schema.ts'
import type { Item } from '../../../../src/provision/os/item.ts'
import { partsOf } from '../../../../src/provision/reconcile/view.ts'
import { BARE, factsOf } from '../../os/node.ts'

const OS = `id=debian\nversion=13\ncodename=trixie\nsays=Debian\narchitecture=amd64\nkernel=6.12\ninit=systemd\nstate=running\n`

test('what stands later in its settings goes before, field by field, where the node has the labels', () => {
  const settings = '[{keepAlive: 30m, parallel: 2}, {on: {gpu: h200}, parallel: 8, kvCache: q8_0}]'
  expect(environmentOf('n1', settings)).toMatchObject({
    OLLAMA_KEEP_ALIVE: '1800000ms',
    OLLAMA_NUM_PARALLEL: '8',
    OLLAMA_KV_CACHE_TYPE: 'q8_0',
  })
  const other = environmentOf('n2', settings)
  expect(other).toMatchObject({ OLLAMA_KEEP_ALIVE: '1800000ms', OLLAMA_NUM_PARALLEL: '2' })
  expect(other).not.toHaveProperty('OLLAMA_KV_CACHE_TYPE')
})

test('it sees the cards that it may use, or none, and all where nothing is said', () => {
  const some = environmentOf('n1', '[{cards: [1, GPU-8f6d3c1e-0f0a-4a4e-9d53-2f5b3a1c7e10]}]')
  expect(some['CUDA_VISIBLE_DEVICES']).toBe('1,GPU-8f6d3c1e-0f0a-4a4e-9d53-2f5b3a1c7e10')
  expect(some['ROCR_VISIBLE_DEVICES']).toBe(some['CUDA_VISIBLE_DEVICES'])
  expect(environmentOf('n1', '[{cards: []}]')).toMatchObject({
    CUDA_VISIBLE_DEVICES: '-1',
    ROCR_VISIBLE_DEVICES: '-1',
    GGML_VK_VISIBLE_DEVICES: '-1',
  })
  expect(environmentOf('n1', '[]')).not.toHaveProperty('CUDA_VISIBLE_DEVICES')
})

test('it listens on loopback, sends nothing to a cloud and keeps what no model names yet', () => {
  expect(environmentOf('n1', '[]')).toMatchObject({
    OLLAMA_HOST: '127.0.0.1:11434',
    OLLAMA_NO_CLOUD: '1',
    OLLAMA_NOPRUNE: '1',
  })
})

test('one that hangs is ended by what watches it, at its own port', () => {
  const items = itemsOf('n1', '[]', 'port: 11500, ')
  const script = items.find(item => item.kind === 'file' && item.path === '/etc/llmagentos/ollama-watch')
  expect(script).toMatchObject({ mode: 0o755, text: expect.stringContaining('/dev/tcp/127.0.0.1/11500') })
  expect(items.at(-1)).toMatchObject({ kind: 'unit', name: 'llmagentos-ollama-watch.service' })
})

function environmentOf(node: string, settings: string): Record<string, string> {
  const unit = itemsOf(node, settings).find(
    item => item.kind === 'file' && item.path.endsWith('/llmagentos-ollama.service'),
  )
  const text = unit?.kind === 'file' ? String(unit.text) : ''
  return Object.fromEntries(
    [...text.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  )
}

function itemsOf(name: string, settings: string, more = ''): Item[] {
  const text = `name: story
recovery: none
ssh: {user: ops}
nodes:
  - {name: n1, address: 10.0.0.11, roles: [control, worker], labels: {gpu: h200}}
  - {name: n2, address: 10.0.0.12, roles: [worker]}
components: {ollama: {${more}settings: ${settings}}}
`
  const cluster = parse(text, { env: {}, components: [ollama] })
  const view = partsOf(cluster, { components: [ollama], nodes: cluster.nodes }).at(-1)!.view as View<Config>
  const node = view.nodes.find(one => one.name === name)!
  const printed = { ...BARE, os: OS, placed: '', 'ollama at 11434': 'video\nrender\n', 'ollama at 11500': '' }
  return ollama.items(view, factsOf({ n1: printed, n2: printed }), node)
}
