/** Of keys, requests and certificates on every node. */
export const FOLDER = '/etc/llmagentos/tls'

export const pathsOf = (name: string) => ({
  key: `${FOLDER}/${name}.key`,
  csr: `${FOLDER}/${name}.csr`,
  certificate: `${FOLDER}/${name}.crt`,
})
