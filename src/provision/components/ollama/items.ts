import { architectureOf } from '../../artifacts/architecture.ts'
import { artifactName } from '../../artifacts/published.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import { chosen } from '../../cluster/select.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import type { View } from '../component.ts'
import { answers } from './answers.ts'
import { COMPONENT, RELEASE, UNIT, USER } from './names.ts'
import type { Config } from './schema.ts'
import { watchItems } from './watch.ts'

/** An Ollama on a node, for the worker beside it alone. */
export function items(view: View<Config>, facts: Facts, node: WantedNode): Item[] {
  const { name } = node
  const { config } = view
  const artifact = artifactName(COMPONENT, config.release, architectureOf(facts, name))
  const unit = unitText(view, { node, groups: facts.get(name, answers(view)).groups })
  const inputs = sha256([unit(''), artifact].join('\n')).slice(0, 16)
  return [
    { kind: 'release', path: RELEASE, artifact, says: 'what runs models' },
    { kind: 'user', name: USER, home: '/nonexistent', says: 'whom Ollama runs as' },
    {
      kind: 'file',
      path: `/etc/systemd/system/${UNIT}`,
      text: unit(inputs),
      mode: 0o644,
      owner: 'root:root',
      says: 'Ollama',
    },
    { kind: 'unit', name: UNIT, says: 'Ollama', inputs },
    ...watchItems(view),
  ]
}

/** Without and with the digest of all that a start reads. */
function unitText(
  { config }: View<Config>,
  { node, groups }: { node: WantedNode; groups: string[] },
): (inputs: string) => string {
  const settings = settingsOf(config, node)
  return inputs =>
    fill(`ollama/${UNIT}`, {
      command: `${RELEASE}/bin/ollama serve`,
      user: USER,
      groups: groups.join(' '),
      models: config.models.path,
      settings: { lines: Object.entries(settings).map(([name, value]) => `Environment=${name}=${value}`) },
      inputs: { lines: inputLines(inputs, { process: true }).trimEnd().split('\n') },
    })
}

/** In Ollama's own words; what the file does not say it chooses by the memory of the cards. */
function settingsOf(config: Config, node: WantedNode): Record<string, string> {
  const own: Config['settings'][number] = Object.assign(
    {},
    ...config.settings.filter(one => chosen(node, one.on)),
  )
  const said = {
    OLLAMA_NUM_PARALLEL: own.parallel,
    OLLAMA_MAX_LOADED_MODELS: own.loaded,
    OLLAMA_MAX_QUEUE: own.queue,
    OLLAMA_KEEP_ALIVE: own.keepAliveMs === undefined ? undefined : `${own.keepAliveMs}ms`,
    OLLAMA_CONTEXT_LENGTH: own.context,
    OLLAMA_FLASH_ATTENTION: own.flashAttention === undefined ? undefined : Number(own.flashAttention),
    OLLAMA_KV_CACHE_TYPE: own.kvCache,
    ...(own.cards && visible(own.cards)),
  }
  return {
    OLLAMA_HOST: `127.0.0.1:${config.port}`,
    OLLAMA_MODELS: config.models.path,
    HOME: config.models.path,
    OLLAMA_NO_CLOUD: '1',
    // Blobs that come before the model that names them would go at the next start.
    OLLAMA_NOPRUNE: '1',
    ...Object.fromEntries(
      Object.entries(said).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
  }
}

/** Each maker's library looks at its own; a number that there is not hides all. */
function visible(cards: (number | string)[]): Record<string, string> {
  const said = cards.length > 0 ? cards.join(',') : '-1'
  return {
    CUDA_VISIBLE_DEVICES: said,
    ROCR_VISIBLE_DEVICES: said,
    ...(cards.length === 0 && { GGML_VK_VISIBLE_DEVICES: said }),
  }
}
