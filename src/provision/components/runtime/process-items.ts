import { isIP } from 'node:net'
import type { WantedNode } from '../../cluster/cluster.ts'
import type { FileItem, Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import { type CertificateItem, certificate } from '../../secrets/certificates/item.ts'
import { secretOfGrant, type View } from '../component.ts'
import { grantOf, passwordFile } from './bus.ts'
import { PUBLIC, processConfig } from './config.ts'
import { type Extra, gatewayExtra } from './gateway-items.ts'
import type { Process } from './layout.ts'
import { configOf, NODE, RELEASE, SLICE, unitOf, userOf } from './places.ts'
import type { Config } from './schema.ts'

export interface Placed {
  node: WantedNode
  process: Process
  all: Process[]
  /** Names of the artifacts that it runs on. */
  programs: string[]
}

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
  const password = passwordItem(view, process)
  const extra = services.includes('gateway') ? gatewayExtra(view) : NONE
  const unit = unitText(view, process, extra)
  const handed = [
    ...extra.files.map(file => file.text as string),
    ...(password ? [sha256(password.text)] : []),
  ]
  const read = [unit(''), config.text as string, ...programs, ...handed]
  const inputs = sha256(read.join('\n')).slice(0, 16)
  const says = inWords(services)
  return [
    ...(password ? [password] : []),
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

function passwordItem(view: View<Config>, process: Process): FileItem | undefined {
  const grant = grantOf(view, process)
  return (
    grant && {
      kind: 'file',
      path: passwordFile(grant),
      text: view.secret(secretOfGrant(grant)),
      mode: 0o600,
      owner: 'root:root',
      says: `what the broker knows ${process.name} by`,
    }
  )
}

/** Without and with the digest of all that a start reads. */
function unitText(view: View<Config>, process: Process, extra: Extra): (inputs: string) => string {
  const { name, services } = process
  return inputs =>
    fill('runtime/process.service', {
      description: `llmagentos: ${inWords(services)}`,
      command: `${NODE}/bin/node ${RELEASE}/bin/llmagentos.js serve --config ${configOf(name)}`,
      config: configOf(name),
      user: userOf(name),
      state: userOf(name),
      slice: SLICE,
      unit: { lines: extra.unit },
      more: { lines: [...credentialsOf(view, process), ...extra.service] },
      inputs: { lines: inputLines(inputs, { process: true }).trimEnd().split('\n') },
    })
}

function credentialsOf(view: View<Config>, process: Process): string[] {
  const grant = grantOf(view, process)
  return grant ? [`LoadCredential=amqp:${passwordFile(grant)}`] : []
}

const inWords = (services: string[]) => services.join(' and ')
