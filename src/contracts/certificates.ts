import Type, { type Static } from 'typebox'
import { CertificateFiles, HostAddress, TlsFiles } from './config.ts'

/** The signer's name among the certificates of a control node, and in its identity: `spiffe://CLUSTER/signer`. */
export const SIGNER = 'signer'
/** A request and a certificate are text of this type. */
export const PEM_TYPE = 'application/x-pem-file'
/** Bytes of a request. */
export const REQUEST_LIMIT = 8 * 1024
/** A lease ends by itself after so long: whoever took it may have died. */
export const LEASE_MS = 120_000

/** POST: the certificate for a request (PEM), for the key of the client certificate alone. */
export const certificatePath = (name: string) => `/v1/certificates/${name}`
/** PUT: this node alone may take out its replica of that name; DELETE: another one may. */
export const leasePath = (name: string) => `/v1/leases/${name}`

/** What is signed for one node under one name, as `up` would sign it. */
export const Signable = Type.Object(
  {
    uris: Type.Array(Type.String()),
    subject: Type.String(),
    seconds: Type.Integer({ minimum: 1 }),
    extensions: Type.String({ description: 'the extensions as a section of openssl: uses and names' }),
  },
  { additionalProperties: false },
)
export type Signable = Static<typeof Signable>

/** `identities.json` on control nodes: the members of the cluster with their certificates, and nothing for anybody else. */
export const SignerConfig = Type.Object(
  {
    cluster: Type.String({ minLength: 1 }),
    domain: Type.String({ minLength: 1, description: 'NODE.DOMAIN is the name by which a node is known' }),
    listen: HostAddress,
    tls: TlsFiles,
    authority: CertificateFiles,
    /** By node, then by name. */
    members: Type.Record(Type.String(), Type.Record(Type.String(), Signable)),
  },
  { additionalProperties: false },
)
export type SignerConfig = Static<typeof SignerConfig>

export const TendedCertificate = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    cert: Type.String(),
    key: Type.String(),
    request: Type.String(),
    lifeMs: Type.Integer({ minimum: 1 }),
    users: Type.Array(Type.String(), { description: 'units that are told of a new one' }),
  },
  { additionalProperties: false },
)
export type TendedCertificate = Static<typeof TendedCertificate>

/** What `node tend` looks after on one node. */
export const TendConfig = Type.Object(
  {
    cluster: Type.String({ minLength: 1 }),
    node: Type.String({ minLength: 1 }),
    ca: Type.String({ description: "certificate of the cluster's CA" }),
    /** In the order in which they are asked. */
    signers: Type.Array(Type.Object({ node: Type.String(), at: HostAddress }), { minItems: 1 }),
    certificates: Type.Array(TendedCertificate),
    /** Folder, gone at a reboot: who has yet to be told of a certificate that was placed. */
    notes: Type.String(),
  },
  { additionalProperties: false },
)
export type TendConfig = Static<typeof TendConfig>
export const TEND_FILE = '/etc/llmagentos/tend.json'
