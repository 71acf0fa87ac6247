import { SIGNER, type SignerConfig } from '../../../contracts/certificates.ts'
import { PORTS } from '../../../contracts/ports.ts'
import type { Cluster, WantedNode } from '../../cluster/cluster.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import { CA_FILE, CA_KEY } from '../../secrets/authority.ts'
import { type CertificateItem, certificate } from '../../secrets/certificates/item.ts'
import { pathsOf } from '../../secrets/certificates/paths.ts'
import { signableOf } from '../../secrets/certificates/signable.ts'
import { SECRETS } from '../../secrets/fact.ts'
import type { Port, View } from '../component.ts'
import { NODE, RELEASE } from './places.ts'
import { certificatesOn } from './tend.ts'

export const SIGNER_UNIT = 'llmagentos-signer.service'
const USER = 'llmagentos-signer'
const IDENTITIES = '/var/lib/llmagentos/identities.json'

/** On control nodes: signs for the members what the file says, and nothing else. `programs` are the artifacts that it runs on. */
export function signerItems(
  view: View<unknown>,
  facts: Facts,
  o: { node: WantedNode; programs: string[] },
): Item[] {
  if (!isControl(o.node)) return []
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  const identities = `${JSON.stringify(signerConfig(view, facts, o.node), undefined, 2)}\n`
  const unit = (inputs: string) =>
    fill(`runtime/${SIGNER_UNIT}`, {
      program: `${NODE}/bin/node ${RELEASE}/bin/llmagentos.js signer`,
      user: USER,
      identities: IDENTITIES,
      key: `${SECRETS}/${CA_KEY}`,
      inputs: { lines: inputLines(inputs, { process: true }).trimEnd().split('\n') },
    })
  const inputs = sha256([unit(''), identities, ...o.programs].join('\n')).slice(0, 16)
  return [
    { kind: 'user', name: USER, home: '/nonexistent', says: 'whom the signer of certificates runs as' },
    ...signerCertificates(view, o.node),
    {
      ...file,
      mode: 0o600,
      path: IDENTITIES,
      text: identities,
      says: 'which certificates the members have',
    },
    {
      ...file,
      path: `/etc/systemd/system/${SIGNER_UNIT}`,
      text: unit(inputs),
      says: 'the signer of certificates',
    },
    { kind: 'unit', name: SIGNER_UNIT, says: 'the signer of certificates', inputs },
  ]
}

export const signerCertificates = (view: View<unknown>, node: WantedNode): CertificateItem[] =>
  isControl(node)
    ? [
        certificate(view, node, {
          name: SIGNER,
          owner: `${USER}:${USER}`,
          usage: 'server',
          says: 'nodes know the signer by this',
        }),
      ]
    : []

export const signerPorts = ({ nodes }: Cluster): Port[] =>
  nodes.filter(isControl).map(({ name }) => ({
    node: name,
    port: PORTS[SIGNER],
    protocol: 'tcp',
    from: 'nodes',
    by: 'the signer of certificates',
    path: ['components', 'runtime'],
  }))

function signerConfig(view: View<unknown>, facts: Facts, node: WantedNode): SignerConfig {
  const { cluster } = view
  const { certificate: cert, key } = pathsOf(SIGNER)
  const ofMember = (one: WantedNode) =>
    Object.fromEntries(certificatesOn(view, facts, one).map(item => [item.name, signableOf(item)]))
  return {
    cluster: cluster.name,
    domain: cluster.network.domain,
    listen: { host: node.address, port: PORTS[SIGNER] },
    tls: { cert, key, ca: CA_FILE },
    authority: { cert: CA_FILE, key: `credential:${CA_KEY}` },
    members: Object.fromEntries(cluster.nodes.map(one => [one.name, ofMember(one)])),
  }
}

const isControl = ({ roles }: WantedNode) => roles.includes('control')
