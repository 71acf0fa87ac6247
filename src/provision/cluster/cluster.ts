import type { Settings } from './schema/index.ts'

/** The wanted cluster: what cluster.yaml says, with every default filled in and every unit in a field's name. */
export interface Cluster extends Omit<Settings, 'network' | 'nodes'> {
  network: Settings['network'] & { domain: string }
  nodes: WantedNode[]
}

type NodeSettings = Settings['nodes'][number]

export interface WantedNode extends Omit<NodeSettings, 'ssh' | 'disks'> {
  ssh: NodeSsh
  disks: Exclude<NodeSettings['disks'], string>
  /** `disks: all-blank`: nobody has accepted them yet, so there are none. */
  allBlank?: true
}

/** The way onto one node. What is undefined is as ~/.ssh/config says. */
export interface NodeSsh {
  host: string
  user: string
  port?: number
  identityFile?: string
  /** `none`: a direct way, whatever ~/.ssh/config says. */
  bastion?: string
  hostKey?: string
}

/** Fills in what follows from other fields. */
export function resolve(settings: Settings): Cluster {
  const { user, port, identityFile, bastion } = settings.ssh
  return {
    ...settings,
    network: { ...settings.network, domain: settings.network.domain ?? `${settings.name}.internal` },
    nodes: settings.nodes.map(node => ({
      ...node,
      ...(typeof node.disks === 'string' ? { disks: [], allBlank: true } : { disks: node.disks }),
      ssh: defined({ host: node.address, user, port, identityFile, bastion, ...node.ssh }),
    })),
  }
}

/** Without the fields that are undefined, so that equal clusters are equal as data. */
const defined = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
