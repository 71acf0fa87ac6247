import { knownHoles } from '../../../contracts/ollama-holes.ts'
import { EXIT, Failure } from '../../../errors.ts'
import { placed as artifacts } from '../../artifacts/fact.ts'
import { os } from '../../facts/os.ts'
import type { Component } from '../component.ts'
import { answers } from './answers.ts'
import { items } from './items.ts'
import { judge } from './judge.ts'
import { COMPONENT, placed, USER } from './names.ts'
import { plan } from './plan.ts'
import { program } from './program.ts'
import { type Config, schema } from './schema.ts'

const GIB = 1024 ** 3

/** Ollama on loopback, for the worker of the same machine. */
export const ollama: Component<Config> = {
  name: COMPONENT,
  schema,
  needs: [],
  gives: ['ollama'],
  usual: false,
  placed,
  published: [program],
  offers: ({ cluster, config }, from) =>
    placed(cluster, config).some(node => node.name === from)
      ? [{ host: '127.0.0.1', port: config.port, folder: { path: config.models.path, group: USER } }]
      : [],
  ports: ({ cluster, config }) =>
    placed(cluster, config).map(({ name: node }) => ({
      node,
      port: config.port,
      protocol: 'tcp',
      from: 'loopback',
      by: 'Ollama',
      path: ['components', COMPONENT, 'port'],
    })),
  // Without models: those are counted where they are placed. Two releases lie there while one takes over.
  uses: ({ config }) => ({
    memoryBytes: GIB / 2,
    disk: [
      { path: '/opt', bytes: 8 * GIB },
      { path: config.models.path, bytes: config.models.minFreeBytes },
    ],
  }),
  facts: view => [os, artifacts, answers(view)],
  refuse({ config }) {
    const holes = knownHoles(config.release)
    if (!holes) return
    throw new Failure(`components/ollama/release must be newer than ${config.release}.`, {
      exit: EXIT.usage,
      why: holes,
      next: 'Leave it out: the version that llmagentos was made for is taken then.',
    })
  },
  items,
  plan: (view, facts) => plan(ollama, view, facts),
  judge,
}
