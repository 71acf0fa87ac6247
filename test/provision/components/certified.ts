import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CertificateItem } from '../../../src/provision/secrets/certificates/item.ts'

const folder = mkdtempSync(join(tmpdir(), 'lao-'))
const at = (file: string) => join(folder, file)
const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout']

/** PEM of a CA that lives as long as this process. */
export const authority = made()

/** What the fact about certificates prints on a node that has these; they share a key, which nobody looks at. */
export function printedOf(items: CertificateItem[]): string {
  const all = items.map(printed).join('')
  // None of them begins later.
  return `now ${Math.ceil(Date.now() / 1000) + 1}\n${all}`
}

export const forget = () => rmSync(folder, { recursive: true, force: true })

function made(): string {
  openssl(
    'req',
    '-x509',
    ...KEY,
    at('ca.key'),
    '-out',
    at('ca.crt'),
    '-subj',
    '/CN=story CA',
    '-days',
    '3650',
  )
  openssl('req', ...KEY, at('key'), '-out', at('csr'), '-subj', '/CN=story')
  return readFileSync(at('ca.crt'), 'utf8')
}

const before = new Map<string, string>()

function printed(item: CertificateItem): string {
  const { authority: _, ...rest } = item
  const same = JSON.stringify(rest)
  const text = before.get(same) ?? signed(item)
  before.set(same, text)
  return text
}

function signed({ name, owner, uris, dns, ips, usage }: CertificateItem): string {
  const names = [...uris.map(u => `URI:${u}`), ...dns.map(d => `DNS:${d}`), ...ips.map(i => `IP:${i}`)]
  const uses = { server: 'serverAuth', client: 'clientAuth', both: 'serverAuth,clientAuth' }[usage]
  writeFileSync(
    at('ext'),
    `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=${uses}\nsubjectAltName=${names.join(',')}\n`,
  )
  const ca = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial']
  const pem = openssl('x509', '-req', '-in', at('csr'), ...ca, '-days', '365', '-extfile', at('ext'))
  const key = openssl('pkey', '-in', at('key'), '-pubout')
  return `\nname ${name} 8180 ${owner}\n${key}${readFileSync(at('csr'), 'utf8')}${pem}`
}
