import { waitFor } from '../../../retry.ts'
import { Secret } from '../../../secret.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Access, Proving, View } from '../component.ts'
import { authOf, gatewaysOf } from './layout.ts'
import { COMMAND, configOf, userOf } from './places.ts'
import type { Config } from './schema.ts'
import { storeOf } from './store.ts'

const KEY_MS = 30_000

/** How the operator's own machine comes in: names first, then the address that moves, then each gateway. */
export function admit(view: View<Config>, facts: Facts, o: Proving): Access {
  const { port, names, vip, tls } = view.cluster.gateway
  const hosts = [...names, ...(vip ? [vip.address] : []), ...gatewaysOf(view).map(node => node.address)]
  return {
    urls: hosts.map(host => `https://${host}:${port}`),
    byOwnCa: !tls,
    newKey: () => newKey(view, facts, o),
  }
}

/** A fresh key of user `admin`, made on a node of auth by whoever may read what auth is known by. */
export async function newKey(view: View<Config>, facts: Facts, o: Proving): Promise<Secret> {
  const nodes = authOf(view, storeOf(view, facts)).map(node => node.name)
  const name = nodes.find(node => o.connections.has(node)) ?? nodes[0]!
  const { signal } = o
  const argv = ['runuser', '-u', userOf('auth'), '--', COMMAND, 'admin-key', '--config', configOf('auth')]
  return waitFor(
    { says: `a key of auth on ${name}`, deadlineMs: KEY_MS, everyMs: 1_000, signal },
    async () => {
      const connection = o.connections.get(name)
      if (!connection) throw new Error(`${name} did not take part`)
      const { code, stdout, stderr } = await connection.exec(argv, { root: true, deadlineMs: KEY_MS, signal })
      if (code !== 0) throw new Error(stderr.trim())
      return new Secret(stdout.trim())
    },
  )
}
