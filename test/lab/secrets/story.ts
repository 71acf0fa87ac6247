import { block } from '../../../src/provision/cluster/schema/fields.ts'
import type { Component } from '../../../src/provision/components/component.ts'
import { itemWaves } from '../../../src/provision/os/index.ts'
import type { Item } from '../../../src/provision/os/item.ts'
import { authority } from '../../../src/provision/secrets/authority.ts'
import { certificate } from '../../../src/provision/secrets/certificates/item.ts'
import { secrets } from '../../../src/provision/secrets/component.ts'
import { tended } from '../tend/tended.ts'

export const UNIT = 'story-tls.service'

const SERVICE = `[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'sha256sum /etc/llmagentos/tls/story.crt >>/run/story-reloads'
[Install]
WantedBy=multi-user.target
`

export interface Story {
  /** Names of secrets beside the CA. */
  secrets: string[]
  /** Each node gets a certificate, with these names beside its own; a unit runs behind it. */
  certificates?: { alsoDns?: string[] }
  /** What renews certificates, and services behind them. */
  tended?: boolean
}

/** A component with secrets and certificates as real ones have them, and little else. */
export function componentsOf(story: Story): Component[] {
  if (story.tended) return [secrets, tended]
  const one: Component = {
    name: 'story',
    schema: block('for a story', {}),
    needs: [],
    gives: [],
    usual: true,
    placed: cluster => cluster.nodes,
    secrets: ({ cluster }) => [...story.secrets, ...(story.certificates ? authority(cluster) : [])],
    ports: () => [],
    uses: () => ({ memoryBytes: 0, disk: [] }),
    facts: () => [],
    items: (view, _, node) => {
      const file = { kind: 'file', owner: 'root:root', says: 'for the story' } as const
      const files = story.secrets.map(
        (name): Item => ({ ...file, path: `/etc/story-${name}`, text: view.secret(name), mode: 0o600 }),
      )
      if (!story.certificates) return files
      return [
        ...files,
        { kind: 'user', name: 'story', home: '/nonexistent', says: 'runs the story' },
        certificate(view, node, {
          name: 'story',
          owner: 'story:story',
          usage: 'both',
          users: [UNIT],
          says: 'for the story',
          ...story.certificates,
        }),
        { ...file, path: `/etc/systemd/system/${UNIT}`, text: SERVICE, mode: 0o644 },
        { kind: 'unit', name: UNIT, says: 'the story' },
      ]
    },
    plan: (view, facts) => itemWaves(one, view, facts),
    judge: () => [],
  }
  return [secrets, one]
}
