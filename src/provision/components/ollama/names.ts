import { PROGRAMS } from '../../artifacts/fact.ts'
import type { Cluster, WantedNode } from '../../cluster/cluster.ts'
import { chosen } from '../../cluster/select.ts'
import type { Config } from './schema.ts'

export const COMPONENT = 'ollama'
export const UNIT = 'llmagentos-ollama.service'
export const WATCH_UNIT = 'llmagentos-ollama-watch.service'
export const WATCH_SCRIPT = '/etc/llmagentos/ollama-watch'
export const USER = 'llmagentos-ollama'
export const RELEASE = `${PROGRAMS}/ollama`

export const placed = (cluster: Cluster, config: Config): WantedNode[] =>
  cluster.nodes.filter(node => chosen(node, config.on))
