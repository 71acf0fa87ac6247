import type { View } from '../../component.ts'
import type { Entity } from '../access.ts'
import { daemonSecret } from '../names.ts'
import type { Config } from '../schema.ts'
import { clientName, FS, mdsName, mdsNodes, mountNodes } from './names.ts'

/** Servers, which may use pools of file systems; and nodes that mount ours, which may read and write there and nowhere else. */
export const fileEntities = ({ cluster, config }: View<Config>): Entity[] => [
  ...mdsNodes(cluster, config).map(({ name }) => ({
    name: `mds.${mdsName(name)}`,
    secret: daemonSecret('mds', name),
    caps: {
      mds: 'allow',
      mgr: 'allow profile mds',
      mon: 'allow profile mds',
      osd: 'allow rw tag cephfs *=*',
    },
  })),
  ...mountNodes(cluster, config).map(({ name }) => ({
    name: `client.${clientName(name)}`,
    secret: daemonSecret('fs', name),
    caps: {
      mds: `allow rw fsname=${FS}`,
      mon: `allow r fsname=${FS}`,
      osd: `allow rw tag cephfs data=${FS}`,
    },
  })),
]

export const fileSecrets = ({ cluster, config }: View<Config>): string[] => [
  ...mdsNodes(cluster, config).map(({ name }) => daemonSecret('mds', name)),
  ...mountNodes(cluster, config).map(({ name }) => daemonSecret('fs', name)),
]
