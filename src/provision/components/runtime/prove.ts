import { type AskAnswer, ask } from '../../../contracts/ask.ts'
import { revokeKey, whoami } from '../../../contracts/auth.ts'
import type { Principal } from '../../../contracts/identity.ts'
import { reasonOf } from '../../../errors.ts'
import { waitFor } from '../../../retry.ts'
import type { Secret } from '../../../secret.ts'
import type { Facts } from '../../facts/fact.ts'
import { CA_CERTIFICATE } from '../../secrets/authority.ts'
import type { Finding, Proving, View } from '../component.ts'
import { newKey } from './admit.ts'
import { type Client, clientOver, Refused } from './client.ts'
import { gatewaysOf } from './layout.ts'
import { unitOf } from './places.ts'
import type { Config } from './schema.ts'

// Our documentation is read into the knowledge base meanwhile.
const ANSWER_MS = 120_000

/** One real question through each gateway must come back answered, from our documentation. The key that it takes is revoked again. */
export async function prove(view: View<Config>, facts: Facts, o: Proving): Promise<Finding[]> {
  const gateways = gatewaysOf(view).filter(({ name }) => o.connections.has(name))
  if (gateways.length === 0) return [{ level: 'unknown', says: 'No node of a gateway took part.' }]
  const key = await newKey(view, facts, o)
  const found: Finding[] = []
  for (const { name } of gateways) found.push(await proved(name, { view, key, ...o }))
  const last = found.find(({ level }) => level === 'ok')?.node
  return [...found, ...(last === undefined ? [] : await revoked(clientOn(last, { view, key, ...o }), last))]
}

interface Asking extends Proving {
  view: View<Config>
  key: Secret
}

function clientOn(node: string, { view, connections, ...o }: Asking): Client {
  const { gateway } = view.cluster
  const trust = gateway.tls ? {} : { ca: view.secret(CA_CERTIFICATE).reveal() }
  return clientOver(connections.get(node)!, { port: gateway.port, trust, ...o })
}

async function proved(node: string, o: Asking): Promise<Finding> {
  try {
    const began = performance.now()
    const answer = await answered(clientOn(node, o), o.signal)
    const seconds = Math.round((performance.now() - began) / 100) / 10
    const says = `The gateway of ${node} answered a question in ${seconds} s (${answer.model}, ${answer.sources.length} sources).`
    return { level: 'ok', node, says }
  } catch (thrown) {
    o.signal?.throwIfAborted()
    const says = `The services run, but a question was not answered: ${reasonOf(thrown)}`
    return { level: 'bad', node, says, fix: `Look: llmagentos node logs ${node} ${unitOf('gateway')}` }
  }
}

const answered = (client: Client, signal?: AbortSignal): Promise<AskAnswer> =>
  waitFor({ says: 'an answer with sources', deadlineMs: ANSWER_MS, everyMs: 1_000, signal }, async () => {
    const body = { question: 'What does llmagentos do?' }
    const answer = await client<AskAnswer>(ask.method, ask.path, body)
    if (!answer.answer.trim() || answer.sources.length === 0)
      throw new Error('the answer was empty or named no source')
    return answer
  })

async function revoked(client: Client, node: string): Promise<Finding[]> {
  try {
    const { key } = await client<Principal>(whoami.method, whoami.path)
    await client(revokeKey.method, revokeKey.path.replace(':id', key))
    return []
  } catch (thrown) {
    // The gateway may hear of it sooner than of the answer.
    if (thrown instanceof Refused && thrown.code === 'revoked') return []
    const says = `The key of the proof was not revoked: ${reasonOf(thrown)}`
    return [{ level: 'warn', node, says, fix: 'Look: llmagentos key list' }]
  }
}
