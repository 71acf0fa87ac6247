import { Secret } from '../../../../secret.ts'
import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Item } from '../../../os/item.ts'
import { sha256 } from '../../../os/now.ts'
import { inputLines } from '../../../os/unit.ts'
import { type CertificateItem, certificate } from '../../../secrets/certificates/item.ts'
import { pathsOf } from '../../../secrets/certificates/paths.ts'
import type { View } from '../../component.ts'
import { keyring } from '../keys.ts'
import { daemonSecret } from '../names.ts'
import type { Config } from '../schema.ts'
import { RGW_CERTIFICATE, RGW_PORT, rgwKeyring, rgwName, rgwUnit } from './gateways.ts'

const FILE = { kind: 'file', mode: 0o644, owner: 'root:root' } as const

/** Lines of ceph.conf for the gateway of a node. Without tcp_nodelay each small answer waits 40 ms for an acknowledgement. */
export function rgwConf(node: string): string[] {
  const { certificate: crt, key } = pathsOf(RGW_CERTIFICATE)
  const old = 'no_sslv2:no_sslv3:no_tlsv1:no_tlsv1_1'
  return [
    `[client.${rgwName(node)}]`,
    `rgw_frontends = beast ssl_port=${RGW_PORT} ssl_certificate=${crt} ssl_private_key=${key} ssl_options=${old} tcp_nodelay=1`,
    'rgw_enable_apis = s3',
  ]
}

export function rgwItems(view: View<Config>, node: WantedNode, settings: string): Item[] {
  const { name } = node
  const key = view.secret(daemonSecret('rgw', name))
  const inputs = sha256(`${settings}\n${rgwConf(name).join('\n')}\n${key.reveal()}`).slice(0, 12)
  return [
    {
      ...FILE,
      path: rgwKeyring(name),
      text: new Secret(keyring(`client.${rgwName(name)}`, key.reveal())),
      mode: 0o600,
      owner: 'ceph:ceph',
      says: 'the gateway is known by it',
    },
    ...rgwCertificates(view, node),
    {
      ...FILE,
      path: `/etc/systemd/system/${rgwUnit(name)}.d/llmagentos.conf`,
      text: `[Service]\n${inputLines(inputs, { process: true })}`,
      says: 'what it was started from',
    },
    { kind: 'unit', name: rgwUnit(name), says: 'object storage for services', inputs },
  ]
}

export const rgwCertificates = (view: View<Config>, node: WantedNode): CertificateItem[] => [
  certificate(view, node, {
    name: RGW_CERTIFICATE,
    owner: 'ceph:ceph',
    usage: 'server',
    users: [rgwUnit(node.name)],
    says: 'clients know the gateway by this',
  }),
]
