import type { Cluster } from '../cluster/cluster.ts'
import { ISSUE } from './certificates/issue.ts'
import type { SecretWish } from './wish.ts'

export const CA_KEY = 'ca-key'
export const CA_CERTIFICATE = 'ca-certificate'

/** Where every node has the certificate of the cluster's CA. */
export const CA_FILE = '/etc/llmagentos/ca.crt'

const LIFE_SECONDS = 10 * 365 * 86_400

const EXTENSIONS = `basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
`

/** The cluster's own CA. Whoever wants certificates names these among its secrets. */
export function authority({ name }: Pick<Cluster, 'name'>): SecretWish[] {
  const subject = `/O=llmagentos/CN=${name} cluster CA`
  return [
    {
      name: CA_KEY,
      from: [],
      program: 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    },
    {
      name: CA_CERTIFICATE,
      from: [CA_KEY],
      program: `${ISSUE}
openssl req -new -key ${CA_KEY} -subj '${subject}' -config /dev/null -out "$at/csr" &&
issue '${subject}' ${LIFE_SECONDS} '${EXTENSIONS}' -selfsign`,
    },
  ]
}
