import type { TSchema } from 'typebox'
import type { Secret } from '../../secret.ts'
import type { Published } from '../artifacts/published.ts'
import type { Cluster, WantedNode } from '../cluster/cluster.ts'
import type { Connection } from '../connections/connection.ts'
import type { Disk } from '../disks/disk.ts'
import type { Fact, Facts } from '../facts/fact.ts'
import type { Item } from '../os/item.ts'
import type { Step, Wave } from '../reconcile/step.ts'
import type { CertificateItem } from '../secrets/certificates/item.ts'
import type { SecretWish } from '../secrets/wish.ts'

/** What a component offers to others, whatever its name: they ask for the capability and never for the component. */
export type Capability = 'amqp' | 's3' | 'ollama'

/** One thing that is installed on nodes. A folder here, one under templates/, one line in the registry. */
// biome-ignore lint/suspicious/noExplicitAny: each component names the type of its own block
export interface Component<C = any> {
  name: string
  /** Of its block under `components:` in cluster.yaml; every field with a description, and a default or optional. */
  schema: TSchema
  /** Orders components: who gives comes before who needs. */
  needs: Capability[]
  gives: Capability[]
  /** True when it is part of the cluster though the file has no block of it. */
  usual: boolean
  /** In the file that `init` writes: what makes machines a cluster that answers. */
  initial?: true
  /** The nodes it is placed on. */
  placed(cluster: Cluster, config: C): WantedNode[]
  /** Those on which a fraction of a second matters: they get a time service that is known to hold. */
  exactTime?(cluster: Cluster, config: C): WantedNode[]
  /** Those on which it answers only after a sync, so that a slow disk slows all nodes down; control nodes need no word. */
  quickDisk?(cluster: Cluster, config: C): WantedNode[]
  /** Programs that it takes from those who make them, and not from Debian. */
  published?: Published[]
  /** Accounts, vhosts, buckets that it wants from a giver. */
  asks?(view: View<C>): Grant[]
  /** A name alone is 256 random bits; `authority(cluster)` is the CA, for whoever wants certificates. */
  secrets?(view: View<C>): (string | SecretWish)[]
  /** Where it listens for those who use what it gives; nearest to `from` first. */
  offers?(view: View<C>, from: string): Endpoint[]
  /** Who may reach what: for the firewall, for `check` and for the mesh. */
  ports(view: View<C>): Port[]
  /** What it will use on a node at most; `check` adds up, with what it knows of the node where that matters. Peeks at most. */
  uses(view: View<C>, node: WantedNode, facts?: Facts): Use
  facts(view: View<C>, node: WantedNode): Fact<unknown>[]
  /**
   * Pure. Throws Failure for machines that it cannot be placed on. Called before anything is changed, and before its secrets are there;
   * what is unknown is no reason.
   */
  refuse?(view: View<C>, facts: Facts): void
  /** What it keeps on a node, in the order of making. Pure. Files, packages and units that it no longer keeps leave by themselves. */
  items(view: View<C>, facts: Facts, node: WantedNode): Item[]
  /** TLS certificates among its items, for whoever renews them; also of a node that takes no part, so from no fact of that node. */
  certificates?(view: View<C>, facts: Facts, node: WantedNode): CertificateItem[]
  /** Pure; `[]` = nothing to do. Most begin with `itemWaves`. */
  plan(view: View<C>, facts: Facts): Wave[]
  /** What `cluster check` asks of what runs already, and makes of it. Pure; where nothing runs yet it finds nothing. */
  check?: {
    facts(view: View<C>, node: WantedNode): Fact<unknown>[]
    judge(view: View<C>, facts: Facts): Finding[]
    /** What `check --fix` puts right: at once, safely, and taken back. */
    repairs?(view: View<C>, facts: Facts): Step[]
  }
  /** For whoever would empty a disk: what to ask, and why it must stay as it is though nothing may be running on it. */
  disksInUse?: {
    facts: Fact<unknown>[]
    why(disk: Disk, o: { facts: Facts; node: string }): string | undefined
  }
  /** Gives up what lies on a disk, so that `to` takes its place in the next plan. Pure; undefined where nothing of its own lies there. */
  replaceDisk?(
    view: View<C>,
    facts: Facts,
    o: { node: string; from: string; to: string; fewerCopies: boolean },
  ): Wave[] | undefined
  /** Takes what lies on a disk elsewhere and gives the disk up for good. Pure; undefined where nothing of its own lies there. */
  removeDisk?(view: View<C>, facts: Facts, o: { node: string; disk: string }): Wave[] | undefined
  /**
   * Takes off a node what has a vote there and is no longer placed there, when the others keep their majority without it: each step asks them
   * again. Pure; [] where there is none. The node itself may be away for good.
   */
  leave?(view: View<C>, facts: Facts, node: string): Wave[]
  /** Pure; health from the same facts. */
  judge(view: View<C>, facts: Facts): Finding[]
  /** After a change: uses what it runs as a client would, and says how that went. Changes nothing that stays. */
  prove?(view: View<C>, facts: Facts, o: Proving): Promise<Finding[]>
  /** How clients come in, for the component that lets them in. */
  admit?(view: View<C>, facts: Facts, o: Proving): Access
}

export interface Proving {
  /** By the name of the node. */
  connections: Map<string, Connection>
  signal?: AbortSignal
}

export interface Access {
  /** Of all gateways, best first. */
  urls: string[]
  /** Whether they are trusted by the cluster's CA; if not, by what is trusted elsewhere. */
  byOwnCa: boolean
  /** A key of an admin, made now. */
  newKey(): Promise<Secret>
}

/** What a component may see of the wanted cluster. */
export interface View<C> {
  cluster: Cluster
  config: C
  /** Those it is placed on that take part in this run. */
  nodes: WantedNode[]
  /** Ports of all components, on all nodes. */
  ports: Port[]
  /** Names of the nodes on which a component wants exact time. */
  exactTime?: ReadonlySet<string>
  /** Nearest first. */
  endpoints(what: Capability, from: string): Endpoint[]
  /** What others asked of the capabilities that it gives. */
  grants: Grant[]
  /** What all components declared by secrets(). */
  wishes?: readonly SecretWish[]
  /** Declared by secrets(); exists before plan(), items() and judge() are called. */
  secret(name: string): Secret
  /** TLS certificates of all components on a node. */
  certificates?(node: WantedNode, o: { facts: Facts; secret: View<C>['secret'] }): CertificateItem[]
}

export interface Endpoint {
  host: string
  port: number
  /** What it keeps on disk, for whoever is in that group on the same node. */
  folder?: { path: string; group: string }
}

export interface Grant {
  of: Capability
  as: string
  [right: string]: unknown
}

/** The secret with which `as` comes: declared by the giver, and by whoever asked for it. */
export const secretOfGrant = (grant: Grant) => `${grant.of}-${grant.as}`

/** A listener of ours on a node. `public` follows gateway.from; `nodes` means the other nodes of the cluster. */
export interface Port {
  node: string
  port: number
  protocol: 'tcp' | 'udp'
  from: 'public' | 'nodes' | 'loopback'
  /** Who listens, for people: `the gateway`. */
  by: string
  /** The field of cluster.yaml that moves it. */
  path: (string | number)[]
}

export interface Use {
  memoryBytes: number
  disk: { path: string; bytes: number }[]
}

export interface Finding {
  level: 'ok' | 'warn' | 'bad' | 'unknown'
  node?: string
  says: string
  fix?: string
}
