import { authority } from '../../secrets/authority.ts'
import type { SecretWish } from '../../secrets/wish.ts'
import { secretOfGrant, type View } from '../component.ts'
import { RBD_SECRET } from './block/names.ts'
import { fileSecrets } from './file/access.ts'
import {
  ADMIN_SECRET,
  BOOTSTRAP_OSD_SECRET,
  daemonSecret,
  FSID_SECRET,
  MON_SECRET,
  monNodes,
} from './names.ts'
import { rgwNodes } from './object/gateways.ts'
import type { Config } from './schema.ts'

// A cephx key: its kind (1), seconds and nanoseconds when it was made, the length of what follows, 16 random bytes; all little-endian.
const CEPHX_KEY = `now=$(date +%s)
byte() { printf "\\\\$(printf %03o $(( ($now >> $1) & 255 )))"; }
{ printf '\\001\\000'; byte 0; byte 8; byte 16; byte 24; printf '\\000\\000\\000\\000\\020\\000'; head -c 16 /dev/urandom; } | base64 -w 0`

/** Made once, like every secret: so there is one fsid ever, and a killed `up` finds the same keys again. */
export const secrets = (view: View<Config>): (string | SecretWish)[] => [
  {
    name: FSID_SECRET,
    from: [],
    program: "tr -d '\\n' </proc/sys/kernel/random/uuid",
    stays: 'each disk and each mon carries it: with another one they would be those of another cluster',
  },
  ...[
    MON_SECRET,
    ADMIN_SECRET,
    BOOTSTRAP_OSD_SECRET,
    ...monNodes(view.cluster).map(node => daemonSecret('mgr', node.name)),
    ...rgwNodes(view.cluster, view.config).map(node => daemonSecret('rgw', node.name)),
    ...fileSecrets(view),
    ...(view.config.block === false ? [] : [RBD_SECRET]),
  ].map(cephxKey),
  ...(rgwNodes(view.cluster, view.config).length > 0 ? authority(view.cluster) : []),
  ...view.grants.map(secretOfGrant),
]

export const cephxKey = (name: string): SecretWish => ({
  name,
  from: [],
  program: CEPHX_KEY,
  stays: 'the mons would have to take the new key before whoever comes with it',
})

/** As Ceph's programs read keys from a file. */
export const keyring = (entity: string, key: string, caps: Record<string, string> = {}): string =>
  [
    `[${entity}]`,
    `\tkey = ${key}`,
    ...Object.entries(caps).map(([service, cap]) => `\tcaps ${service} = "${cap}"`),
    '',
  ].join('\n')
