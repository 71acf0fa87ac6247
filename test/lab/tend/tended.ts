import { PORTS } from '../../../src/contracts/ports.ts'
import { placed } from '../../../src/provision/artifacts/fact.ts'
import { artifactsFor } from '../../../src/provision/artifacts/index.ts'
import type { WantedNode } from '../../../src/provision/cluster/cluster.ts'
import { block } from '../../../src/provision/cluster/schema/fields.ts'
import type { Component, View } from '../../../src/provision/components/component.ts'
import { NODE, RELEASE } from '../../../src/provision/components/runtime/places.ts'
import {
  signerCertificates,
  signerItems,
  signerPorts,
} from '../../../src/provision/components/runtime/signer.ts'
import { tendItems } from '../../../src/provision/components/runtime/tend.ts'
import { itemWaves } from '../../../src/provision/os/index.ts'
import type { Item } from '../../../src/provision/os/item.ts'
import { authority, CA_FILE } from '../../../src/provision/secrets/authority.ts'
import { certificate } from '../../../src/provision/secrets/certificates/item.ts'
import { pathsOf } from '../../../src/provision/secrets/certificates/paths.ts'

export const WORKER_PORT = PORTS.signer + 100
/** Reloaded at each renewal; it notes when each one began and ended, by the clock that all nodes of a lab share. */
export const TOLD_UNIT = 'story-told.service'
const WORKER_UNIT = 'story-worker.service'

const TOLD = `[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'echo "begin $$(date +%%s%%N)" >>/run/story-told; sleep 2; echo "end $$(date +%%s%%N)" >>/run/story-told'
[Install]
WantedBy=multi-user.target
`

/** What renews certificates, as the component of our services keeps it, with one service behind mutual TLS and a unit that has to be told. */
export const tended: Component = {
  name: 'story',
  schema: block('for a story', {}),
  needs: [],
  gives: [],
  usual: true,
  placed: cluster => cluster.nodes,
  secrets: ({ cluster }) => authority(cluster),
  ports: ({ cluster }) => signerPorts(cluster),
  uses: () => ({ memoryBytes: 0, disk: [] }),
  facts: () => [placed],
  items(view, facts, node) {
    const { bundle, node: interpreter } = artifactsFor(process.arch === 'arm64' ? 'arm64' : 'x64')
    const programs = [bundle.name, interpreter.name]
    return [
      { kind: 'release', path: NODE, artifact: interpreter.name, says: 'for the story' },
      { kind: 'release', path: RELEASE, artifact: bundle.name, says: 'for the story' },
      file(
        '/usr/local/bin/llmagentos',
        `#!/bin/sh\nexec ${NODE}/bin/node ${RELEASE}/bin/llmagentos.js "$@"\n`,
        0o755,
      ),
      { kind: 'user', name: 'story', home: '/nonexistent', says: 'runs the story' },
      ...ownCertificates(view, node),
      file(`/etc/systemd/system/${TOLD_UNIT}`, TOLD),
      { kind: 'unit', name: TOLD_UNIT, says: 'the story' },
      file('/etc/story-worker.json', JSON.stringify(workerConfig(node))),
      file(`/etc/systemd/system/${WORKER_UNIT}`, WORKER),
      { kind: 'unit', name: WORKER_UNIT, says: 'the story' },
      ...signerItems(view, facts, { node, programs }),
      ...tendItems(view, facts, node),
    ]
  },
  certificates: (view, _facts, node) => [...ownCertificates(view, node), ...signerCertificates(view, node)],
  plan: (view, facts) => itemWaves(tended, view, facts),
  judge: () => [],
}

const ownCertificates = (view: View<unknown>, node: WantedNode) => [
  certificate(view, node, { name: 'worker', owner: 'story:story', usage: 'both', says: 'for the story' }),
  certificate(view, node, { name: 'told', usage: 'both', users: [TOLD_UNIT], says: 'for the story' }),
]

const file = (path: string, text: string, mode = 0o644): Item => ({
  kind: 'file',
  path,
  text,
  mode,
  owner: 'root:root',
  says: 'for the story',
})

const WORKER = `[Service]
ExecStart=${NODE}/bin/node ${RELEASE}/bin/llmagentos.js serve --config /etc/story-worker.json
User=story
Restart=always
[Install]
WantedBy=multi-user.target
`

const workerConfig = ({ name, address }: WantedNode) => ({
  services: [
    {
      name: 'worker',
      config: {
        services: {},
        listen: { host: address, port: WORKER_PORT },
        tls: { cert: pathsOf('worker').certificate, key: pathsOf('worker').key, ca: CA_FILE },
        name,
        slots: 1,
        backend: 'extractive',
        ollama: { url: 'http://127.0.0.1:11434' },
      },
    },
  ],
})
