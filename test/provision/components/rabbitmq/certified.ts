import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A CA, and what the fact about certificates prints on nodes that have one of `name` from it. */
export function certified(name: string, nodes: { name: string; address: string }[]) {
  const folder = mkdtempSync(join(tmpdir(), 'lao-'))
  const at = (file: string) => join(folder, file)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout']
  const selfSign = () =>
    openssl(
      'req',
      '-x509',
      ...key,
      at('ca.key'),
      '-out',
      at('ca.crt'),
      '-subj',
      '/CN=story CA',
      '-days',
      '3650',
    )
  const printed = (node: { name: string; address: string }) => {
    openssl('req', ...key, at('key'), '-out', at('csr'), '-subj', `/CN=${name}`)
    const names = `URI:spiffe://story/${name},DNS:${node.name}.story.internal,DNS:${node.name},IP:${node.address}`
    writeFileSync(
      at('ext'),
      `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=${names}\n`,
    )
    const ca = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial']
    const pem = openssl('x509', '-req', '-in', at('csr'), ...ca, '-days', '365', '-extfile', at('ext'))
    const request = readFileSync(at('csr'), 'utf8')
    const now = Math.ceil(Date.now() / 1000) + 1
    return `now ${now}\n\nname ${name} 81a0 root:rabbitmq\n${openssl('pkey', '-in', at('key'), '-pubout')}${request}${pem}`
  }
  try {
    selfSign()
    return {
      authority: readFileSync(at('ca.crt'), 'utf8'),
      printed: new Map(nodes.map(node => [node.name, printed(node)])),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
