import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Cluster, Target, WantedNode } from '../../provision/index.ts'

/** How connections name a node of the file. A relative identityFile lies beside the file, `~` is your home. */
export function targetOf(
  node: WantedNode,
  o: { cluster: Cluster; file: string; env: NodeJS.ProcessEnv },
): Target {
  const { identityFile, ...ssh } = node.ssh
  return {
    node: node.name,
    ...ssh,
    ...(identityFile !== undefined && {
      identityFile: resolve(dirname(o.file), identityFile.replace(/^~(?=\/)/, o.env['HOME'] ?? homedir())),
    }),
    client: CLIENTS[o.cluster.ssh.client],
  }
}

const CLIENTS: Record<string, Target['client']> = { auto: 'auto', ssh2: 'ssh2', openssh: 'system' }

/** Where this machine keeps what it knows of a cluster, such as its host keys; of the operator alone. */
export function stateFolder(cluster: string, env: NodeJS.ProcessEnv): string {
  const state = env['XDG_STATE_HOME'] || join(env['HOME'] ?? homedir(), '.local/state')
  return join(state, 'llmagentos', cluster)
}
