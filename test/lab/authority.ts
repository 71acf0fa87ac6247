import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Certificates for what listens in a lab, all signed by one of two days. */
export interface Authority {
  /** A file. */
  certificate: string
  issue(node: { name: string; address: string }): { certificate: string; key: string }
}

export function authority(folder: string): Authority {
  mkdirSync(folder, { recursive: true })
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    ...['req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem')],
    ...['-subj', '/CN=lab', '-days', '2'],
  )
  return {
    certificate: at('ca.pem'),
    issue(node) {
      const own = { certificate: at(`${node.name}.pem`), key: at(`${node.name}.key`) }
      const names = `subjectAltName=DNS:${node.name},IP:${node.address}`
      openssl(
        ...['req', '-x509', '-CA', at('ca.pem'), '-CAkey', at('ca.key'), ...key, '-keyout', own.key],
        ...['-out', own.certificate, '-subj', `/CN=${node.name}`, '-days', '2', '-addext', names],
        ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      )
      return own
    },
  }
}
