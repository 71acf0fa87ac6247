import { dirname } from 'node:path'
import { quote } from '../../connections/quote.ts'
import type { FileItem, Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import type { View } from '../component.ts'
import { configOf, socketOf, TLS_COPY, TLS_JOB, userOf } from './places.ts'
import type { Config } from './schema.ts'

/** What the unit of a process has beside what all have. */
export interface Extra {
  files: FileItem[]
  /** Units that are there before the process starts. */
  units: Item[]
  /** For its [Unit] and its [Service]. */
  unit: string[]
  service: string[]
}

const SOCKET = socketOf('gateway')
const SCRIPT = '/etc/llmagentos/gateway-tls'
const PATH = TLS_JOB.replace(/service$/, 'path')
const TIMER = TLS_JOB.replace(/service$/, 'timer')

/** Of the gateway: a socket that stays while it is started anew, and what hands it the files of `gateway.tls` whenever they change. */
export function gatewayExtra(view: View<Config>): Extra {
  const socket = socketText(view)
  const own: Extra = {
    files: [unitFile(SOCKET, socket, 'where clients come in')],
    units: [{ kind: 'unit', name: SOCKET, says: 'where clients come in', inputs: digestOf(view) }],
    unit: [`Requires=${SOCKET}`, `After=${SOCKET}`],
    // No key stays behind where the gateway does not run, or needs it no more.
    service: [`ExecStopPost=+/bin/rm -rf -- ${TLS_COPY}`],
  }
  const { tls } = view.cluster.gateway
  if (!tls) return own
  const script = fill('runtime/gateway-tls', {
    certificate: quote([tls.certificate]),
    key: quote([tls.key]),
    folder: TLS_COPY,
    owner: `${userOf('gateway')}:${userOf('gateway')}`,
  })
  const service = fill(`runtime/${TLS_JOB}`, { script: SCRIPT, folder: TLS_COPY })
  const path = fill(`runtime/${PATH}`, {
    ...tls,
    folders: { lines: foldersOf(tls).map(folder => `PathChanged=${folder.replaceAll('%', '%%')}`) },
    digest: sha256(service),
  })
  const timer = fill(`runtime/${TIMER}`, { digest: sha256(service) })
  const says = 'hands the files of gateway.tls to the gateway'
  return {
    files: [
      ...own.files,
      { ...unitFile(SCRIPT, script, says), path: SCRIPT, mode: 0o755 },
      unitFile(TLS_JOB, service, says),
      unitFile(PATH, path, 'notices when they change'),
      unitFile(TIMER, timer, 'looks whether a change went unnoticed'),
    ],
    units: [
      ...own.units,
      { kind: 'unit', name: PATH, says: 'notices when files of gateway.tls change' },
      { kind: 'unit', name: TIMER, says: 'looks whether a change of them went unnoticed' },
    ],
    unit: own.unit,
    service: [`ExecStartPre=+${SCRIPT}`, ...own.service],
  }
}

const foldersOf = (files: { certificate: string; key: string }) => [
  ...new Set([dirname(files.certificate), dirname(files.key)]),
]

function socketText(view: View<Config>, inputs = digestOf(view)): string {
  const { port } = view.cluster.gateway
  return fill(`runtime/${SOCKET}`, {
    config: configOf('gateway'),
    address: `0.0.0.0:${port}`,
    inputs: { lines: inputs ? [inputLines(inputs, { process: false }).trimEnd()] : [] },
  })
}

const digestOf = (view: View<Config>): string => sha256(socketText(view, '')).slice(0, 16)

const unitFile = (name: string, text: string, says: string): FileItem => ({
  kind: 'file',
  path: `/etc/systemd/system/${name}`,
  text,
  mode: 0o644,
  owner: 'root:root',
  says,
})
