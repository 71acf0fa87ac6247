import Type, { type Static } from 'typebox'
import {
  block,
  byDefault,
  duration,
  listOf,
  oneOf,
  optional,
  port,
  selector,
  size,
  text,
  whole,
  yesNo,
} from '../../cluster/schema/fields.ts'
import type { Parsed } from '../../cluster/schema/parsed.ts'

const setting = {
  ...block('settings; what is left out it chooses by the memory of the cards', {
    on: optional(selector('the nodes that it is for; default: all')),
    parallel: optional(whole('answers at a time of one model', { from: 1, to: 1000 })),
    loaded: optional(whole('models in memory at a time', { from: 1, to: 1000 })),
    queue: optional(whole('requests that may wait in it', { from: 1, to: 100_000 })),
    keepAlive: optional(duration('how long a model stays in memory after its last answer')),
    context: optional(whole('tokens of context, if a request says none', { from: 512, to: 10_000_000 })),
    flashAttention: optional(yesNo('a way to compute that needs less memory, where the card can')),
    kvCache: optional(
      oneOf('how what was read is kept: f16, or in half or a quarter of its room; wants flashAttention', [
        'f16',
        'q8_0',
        'q4_0',
      ]),
    ),
    cards: optional(
      listOf(
        'the graphics cards that it may use; [] for none',
        Type.Union([
          whole('its number on the node', { from: 0, to: 63 }),
          text('its UUID', { pattern: '^GPU-[0-9a-f-]{8,40}$', must: 'a UUID such as nvidia-smi -L says' }),
        ]),
      ),
    ),
  }),
  minProperties: 1,
}

export const schema = block('Ollama, which answers with models, on the machines that work', {
  release: byDefault(
    '0.32.15',
    text('which version of it, from those who make it or from artifacts/mirror', {
      pattern: '^\\d{1,4}\\.\\d{1,4}\\.\\d{1,4}(-[a-z0-9]{1,12})?$',
      must: 'a version such as 0.32.15',
    }),
  ),
  on: byDefault('worker', selector('the nodes with an Ollama')),
  port: byDefault(
    11_434,
    port('where it listens, on loopback alone: the workers of the cluster stand before it'),
  ),
  models: byDefault(
    {},
    block('where its models lie', {
      path: byDefault(
        '/var/lib/llmagentos-ollama',
        text('a folder on a node, which is made; give it a disk of its own if you can', {
          pattern: '^(/[A-Za-z0-9._-]+)+$',
          must: 'an absolute path of letters, digits, ., _ and -',
        }),
      ),
      minFree: byDefault('10GiB', size('room that must be there for models before it is installed')),
    }),
  ),
  settings: byDefault(
    [],
    listOf('how it runs models, of all nodes or of some; what stands later goes before', setting),
  ),
})

export type Config = Parsed<Static<typeof schema>>
