import type { Fact } from '../../facts/fact.ts'
import { FOLDER } from './paths.ts'
import { blocksOf, keyOfPem, keyOfRequest } from './pem.ts'

/** What a node has of the certificates that are named by items. */
export interface Certificates {
  /** Seconds of the node's clock, in milliseconds since the epoch. */
  nowMs: number
  /** By the item's name. */
  all: Map<string, Certified>
}

export interface Certified {
  mode: number
  owner: string
  /** Public key of the key file, in base64 of its DER; undefined where openssl cannot read it. */
  key?: string
  /** The request, where it is for that key. */
  request?: string
  /** PEM, whatever it is worth. */
  certificate?: string
}

export const certificates: Fact<Certificates> = {
  id: 'certificates',
  deadlineMs: 10_000,
  script: `echo "now $(date +%s)"
cd ${FOLDER} 2>/dev/null || exit 0
for key in *.key; do
  [ -f "$key" ] || continue
  name=\${key%.key}
  printf '\\nname %s %s\\n' "$name" "$(stat -c '%f %U:%G' -- "$key")"
  openssl pkey -in "$key" -passin pass: -pubout 2>/dev/null
  cat -- "$name.csr" "$name.crt" 2>/dev/null
done
:`,
  parse(stdout) {
    const [head, ...rest] = stdout.split(/^name /m)
    const now = /^now (\d+)$/m.exec(head ?? '')
    if (!now) throw new Error('it lacks the time')
    return { nowMs: Number(now[1]) * 1000, all: new Map(rest.map(certified)) }
  },
}

function certified(text: string): [string, Certified] {
  const [name, hex, owner] = text.split('\n', 1)[0]!.split(' ')
  const mode = Number.parseInt(hex ?? '', 16)
  if (!name || Number.isNaN(mode) || !owner) throw new Error('stat says something else than it was asked')
  const blocks = blocksOf(text)
  const key = keyOfPem(blocks.get('PUBLIC KEY') ?? '')
  const request = blocks.get('CERTIFICATE REQUEST')
  return [
    name,
    {
      mode: mode & 0o7777,
      owner,
      key,
      request: request && key && keyOfRequest(request) === key ? request : undefined,
      certificate: blocks.get('CERTIFICATE'),
    },
  ]
}
