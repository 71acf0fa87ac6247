import { isIP } from 'node:net'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { FileItem, Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import { type CertificateItem, certificate } from '../../secrets/certificates/item.ts'
import type { Grant, View } from '../component.ts'
import { PUBLIC, processConfig } from './config.ts'
import { type Extra, gatewayExtra } from './gateway-items.ts'
import { credential, grantsFor, secretItem } from './grants.ts'
import type { Process } from './layout.ts'
import { configOf, NODE, RELEASE, SLICE, unitOf, userOf } from './places.ts'
import type { Config } from './schema.ts'
import type { Store } from './store.ts'

export interface Placed {
  node: WantedNode
  process: Process
  all: Process[]
  store: Store
  /** Names of the artifacts that it runs on. */
  programs: string[]
}

/** Somebody waits for each of their answers, and they need little time for it: the store, tasks and indexes that run beside them can wait. */
const ANSWERING = new Set(['gateway', 'auth', 'llm', 'worker'])

const NONE: Extra = { files: [], units: [], unit: [], service: [] }

/** Processes of ours on one node. Users come first and units last, because what stands behind a certificate waits until there is one. */
export const processItems = (view: View<Config>, own: Placed[]): Item[] => [
  ...own.map(
    ({ process }): Item => ({
      kind: 'user',
      name: userOf(process.name),
      home: '/nonexistent',
      says: `whom ${inWords(process.services)} ${process.services.length === 1 ? 'runs' : 'run'} as`,
    }),
  ),
  ...own.flatMap(placed => certificateItems(view, placed)),
  ...own.flatMap(placed => unitItems(view, placed)),
]

function unitItems(view: View<Config>, placed: Placed): Item[] {
  const { process, programs } = placed
  const { name, services } = process
  const config: FileItem = {
    kind: 'file',
    path: configOf(name),
    text: `${JSON.stringify(processConfig(view, placed), null, 2)}\n`,
    mode: 0o644,
    owner: 'root:root',
    says: `settings of ${inWords(services)}`,
  }
  const extra = services.includes('gateway') ? gatewayExtra(view) : NONE
  const grants = grantsFor(view, placed)
  const secrets = grants.map(grant => secretItem(view, grant))
  const unit = unitText(process, { extra, grants, groups: groupsOf(view, placed) })
  const handed = [
    ...extra.files.map(file => file.text as string),
    ...secrets.map(secret => sha256(secret.text)),
  ]
  const read = [unit(''), config.text as string, ...programs, ...handed]
  const inputs = sha256(read.join('\n')).slice(0, 16)
  const says = inWords(services)
  return [
    ...secrets,
    config,
    ...extra.files,
    { ...config, path: `/etc/systemd/system/${unitOf(name)}`, text: unit(inputs), says },
    ...extra.units,
    { kind: 'unit', name: unitOf(name), says, inputs },
  ]
}

/** They are read again when they change, so a renewal restarts nobody. */
export function certificateItems(
  view: View<Config>,
  { node, process }: Pick<Placed, 'node' | 'process'>,
): CertificateItem[] {
  const owner = `${userOf(process.name)}:${userOf(process.name)}`
  const { gateway } = view.cluster
  const own = process.services.map(name =>
    certificate(view, node, { name, owner, usage: 'both', says: `the other services know ${name} by this` }),
  )
  if (!process.services.includes('gateway') || gateway.tls) return own
  const also = [...gateway.names, ...(gateway.vip ? [gateway.vip.address] : [])]
  return [
    ...own,
    certificate(view, node, {
      name: PUBLIC,
      owner,
      usage: 'server',
      alsoDns: ['localhost', ...also.filter(name => !isIP(name))],
      alsoIps: ['127.0.0.1', ...also.filter(name => isIP(name))],
      says: 'clients outside know the gateway by this',
    }),
  ]
}

/** Without and with the digest of all that a start reads. */
function unitText(
  { name, services }: Process,
  { extra, grants, groups }: { extra: Extra; grants: Grant[]; groups: string[] },
): (inputs: string) => string {
  return inputs =>
    fill('runtime/process.service', {
      description: `llmagentos: ${inWords(services)}`,
      command: `${NODE}/bin/node ${RELEASE}/bin/llmagentos.js serve --config ${configOf(name)}`,
      config: configOf(name),
      user: userOf(name),
      state: userOf(name),
      slice: SLICE,
      unit: { lines: extra.unit },
      nice: services.some(name => ANSWERING.has(name)) ? '-5' : '0',
      more: {
        lines: [
          ...groups.map(group => `SupplementaryGroups=${group}`),
          ...grants.map(credential),
          ...extra.service,
        ],
      },
      inputs: { lines: inputLines(inputs, { process: true }).trimEnd().split('\n') },
    })
}

/** A worker reads the models of the Ollama beside it, to hand them on. */
const groupsOf = (view: View<Config>, { node, process }: Placed): string[] =>
  process.services.includes('worker')
    ? view.endpoints('ollama', node.name).flatMap(({ folder }) => (folder ? [folder.group] : []))
    : []

const inWords = (services: string[]) => services.join(' and ')
