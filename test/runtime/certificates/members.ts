import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type {
  Signable,
  SignerConfig,
  TendConfig,
  TendedCertificate,
} from '../../../src/contracts/certificates.ts'
import type { HostAddress } from '../../../src/contracts/config.ts'
import { serveSigner } from '../../../src/runtime/certificates/signer/index.ts'
import { tend } from '../../../src/runtime/certificates/tend/index.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { Authority } from '../tls/authority.ts'

export const LIFE_S = 600

/** A cluster's CA, signers on loopback, and nodes with certificates; each node is a folder. */
export class Members {
  readonly folder = tempFolder()
  readonly authority = new Authority(this.folder)
  readonly said: string[] = []
  #signers: { at: HostAddress; stop(): Promise<void> }[] = []

  /** A signer for these members; by default n1 to n3 with a certificate `story` each. */
  async signer(members: SignerConfig['members'] = storyOf('n1', 'n2', 'n3')): Promise<HostAddress> {
    const file = join(this.folder, `identities-${this.#signers.length}.json`)
    const config: SignerConfig = {
      cluster: 'halle',
      domain: 'halle.internal',
      listen: { host: '127.0.0.1', port: 0 },
      tls: this.authority.issue('signer'),
      authority: { cert: this.authority.ca, key: this.authority.ca.replace('ca.crt', 'ca.key') },
      members,
    }
    writeFileSync(file, JSON.stringify(config))
    const end = new AbortController()
    let ended: Promise<void> = Promise.resolve()
    const at = await new Promise<HostAddress>((resolve, reject) => {
      ended = serveSigner({
        file,
        env: {},
        signal: end.signal,
        onReady: app => {
          const { port } = app.server.address() as AddressInfo
          resolve({ host: '127.0.0.1', port })
        },
      })
      ended.catch(reject)
    })
    const stop = async () => {
      end.abort()
      await ended
    }
    onTestFinished(stop)
    this.#signers.push({ at, stop })
    return at
  }

  async stopSigners(): Promise<void> {
    for (const { stop } of this.#signers.splice(0)) await stop()
  }

  /** Puts a certificate of a name on a node, with so many seconds left, and the request for its key. */
  place(
    node: string,
    name = 'story',
    o: { leftS?: number; uri?: string; by?: Authority } = {},
  ): { cert: string; key: string; request: string } {
    const { leftS = 60, uri = `spiffe://halle/${name}`, by = this.authority } = o
    const files = by.issue(name, {
      file: `${node}-${name}`,
      uris: [uri],
      names: `DNS:${node}.halle.internal,DNS:${node}`,
      until: Date.now() + leftS * 1000,
    })
    const request = files.cert.replace('.crt', '.csr')
    execFileSync('openssl', [
      'req',
      '-new',
      '-key',
      files.key,
      '-subj',
      '/O=mine/CN=mine',
      '-addext',
      'subjectAltName=DNS:other.example.org',
      '-out',
      request,
    ])
    return { cert: files.cert, key: files.key, request }
  }

  config(node: string, o: Tended): TendConfig {
    mkdirSync(join(this.folder, 'notes'), { recursive: true })
    return {
      cluster: 'halle',
      node,
      ca: this.authority.ca,
      signers: (o.signers ?? this.#signers.map(({ at }) => at)).map((at, i) => ({ node: `c${i}`, at })),
      certificates: o.certificates.map(one => ({ name: 'story', users: [], lifeMs: LIFE_S * 1000, ...one })),
      notes: join(this.folder, 'notes', node),
    }
  }

  /** `node tend` of a node that looks after these. */
  tend(node: string, o: Tended) {
    const file = join(this.folder, `tend-${node}.json`)
    writeFileSync(file, JSON.stringify(this.config(node, o)))
    const say = (line: string) => void this.said.push(`${node} ${line}`)
    return tend({ file, env: {}, signal: AbortSignal.timeout(60_000), say })
  }
}

interface Tended {
  /** Those that were started, unless given. */
  signers?: HostAddress[]
  certificates: (Pick<TendedCertificate, 'cert' | 'key' | 'request'> & Partial<TendedCertificate>)[]
}

export const storyOf = (...nodes: string[]): SignerConfig['members'] =>
  Object.fromEntries(nodes.map(node => [node, { story: signable(node, 'story') }]))

export const signable = (node: string, name: string, usage = 'serverAuth,clientAuth'): Signable => ({
  uris: [`spiffe://halle/${name}`],
  subject: `/O=llmagentos/CN=${name}`,
  seconds: LIFE_S,
  extensions: `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=${usage}
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=URI:spiffe://halle/${name},DNS:${node}.halle.internal,DNS:${node}
`,
})
