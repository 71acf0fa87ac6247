import { Secret } from '../../../../secret.ts'
import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Item } from '../../../os/item.ts'
import type { View } from '../../component.ts'
import { keyring } from '../keys.ts'
import type { Config } from '../schema.ts'
import { blockNodes, RBD_KEYRING, RBD_SECRET } from './names.ts'

/** The key is where Ceph's programs look for it: `rbd --id rbd ls`. */
export const blockItems = (view: View<Config>, node: WantedNode): Item[] =>
  blockNodes(view.cluster, view.config).includes(node)
    ? [
        {
          kind: 'file',
          path: RBD_KEYRING,
          text: new Secret(keyring('client.rbd', view.secret(RBD_SECRET).reveal())),
          mode: 0o600,
          owner: 'root:root',
          says: 'users of block devices are known by it',
        },
      ]
    : []
