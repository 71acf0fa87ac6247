import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsFiles } from '../../../src/contracts/config.ts'

interface Asked {
  /** URIs it names. */
  uris?: string[]
  names?: string
  /** Unix milliseconds of its end. */
  until?: number
}

/** A CA of its own, and certificates of it: made by openssl, as a cluster's are. */
export class Authority {
  readonly ca: string
  readonly #folder: string
  readonly #key: string
  #count = 0

  constructor(folder: string, name = 'ca') {
    this.#folder = join(folder, name)
    mkdirSync(this.#folder, { recursive: true })
    this.#key = join(this.#folder, 'ca.key')
    this.ca = join(this.#folder, 'ca.crt')
    const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name}`
    openssl([...made.split(' '), '-keyout', this.#key, '-out', this.ca])
  }

  /** Of a service of the cluster `halle`, or of what is asked. Made again under one `file` name, key and certificate are replaced. */
  issue(service: string, { file = service, ...asked }: Asked & { file?: string } = {}): TlsFiles {
    const to = { cert: join(this.#folder, `${file}.crt`), key: join(this.#folder, `${file}.key`) }
    const fresh = this.#sign({ uris: [`spiffe://halle/${service}`], ...asked })
    renameSync(fresh.key, to.key)
    renameSync(fresh.cert, to.cert)
    return { ...to, ca: this.ca }
  }

  #sign({
    uris,
    names = 'DNS:localhost,IP:127.0.0.1',
    until = Date.now() + 3_600_000,
  }: Required<Pick<Asked, 'uris'>> & Asked) {
    const at = join(this.#folder, `new-${this.#count++}`)
    const [key, csr, cert, ext] = ['key', 'csr', 'crt', 'ext'].map(end => `${at}.${end}`) as [
      string,
      string,
      string,
      string,
    ]
    openssl([
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=x',
      '-keyout',
      key,
      '-out',
      csr,
    ])
    const all = [...uris!.map(uri => `URI:${uri}`), names].join(',')
    writeFileSync(
      ext,
      `basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=${all}\n`,
    )
    const config = `${at}.cnf`
    writeFileSync(`${at}.index`, '')
    writeFileSync(
      config,
      `[ca]\ndefault_ca=o\n[o]\ndatabase=${at}.index\nnew_certs_dir=${this.#folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n`,
    )
    const dates = ['-startdate', stamp(Math.min(Date.now(), until) - 7_200_000), '-enddate', stamp(until)]
    const signed = ['-cert', this.ca, '-keyfile', this.#key, '-in', csr, '-out', cert, '-extfile', ext]
    openssl(['ca', '-batch', '-notext', '-config', config, ...signed, ...dates])
    return { key, cert }
  }
}

/** YYYYMMDDHHMMSSZ. */
const stamp = (ms: number) => new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')

function openssl(args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
