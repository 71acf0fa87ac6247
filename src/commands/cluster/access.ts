import type { Access } from '../../provision/index.ts'
import type { Io } from '../command.ts'

/** Lets this user's CLI in: the gateways, the CA to trust them by and, where there is no key yet, one of its own. Returns lines that say how. */
export async function keepAccess(
  name: string,
  { access, ca: own }: { access: Access; ca: string | undefined },
  io: Pick<Io, 'env'>,
): Promise<string[]> {
  const { Clusters } = await import('../../runtime/index.ts')
  const clusters = new Clusters(io.env)
  const { urls, byOwnCa } = access
  const ca = byOwnCa ? own : undefined
  const fresh = !clusters.key(name)
  if (fresh) clusters.saveKey(name, await access.newKey())
  const known = clusters.get(name)
  if (!known || known.urls.join() !== urls.join() || (known.caFile === undefined) !== (ca === undefined))
    clusters.put({ name, urls, ca })
  const current = clusters.current()?.name
  return [
    `  gateway  ${urls.join(' ')}`,
    ...(fresh ? [`  API key  ${clusters.keyFile(name)}`] : []),
    current === name
      ? '  next     llmagentos ask "how do I add a node?"'
      : `  next     llmagentos cluster use ${name} (commands talk to ${current} now)`,
  ]
}
