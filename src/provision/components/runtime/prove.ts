import { type AskAnswer, ask } from '../../../contracts/ask.ts'
import { revokeKey, whoami } from '../../../contracts/auth.ts'
import type { Principal } from '../../../contracts/identity.ts'
import { reasonOf } from '../../../errors.ts'
import { waitFor } from '../../../retry.ts'
import { Secret } from '../../../secret.ts'
import type { Connection } from '../../connections/connection.ts'
import type { Facts } from '../../facts/fact.ts'
import type { Finding, Proving, View } from '../component.ts'
import { type Client, clientOver } from './client.ts'
import { homeOf } from './home.ts'
import { COMMAND, CONFIG, UNIT, USER } from './places.ts'
import type { Config } from './schema.ts'

const KEY_MS = 30_000
// Our documentation is read into the knowledge base meanwhile.
const ANSWER_MS = 120_000

/** One real question through the gateway must come back answered, from our documentation. The key that it takes is revoked again. */
export async function prove(view: View<Config>, facts: Facts, o: Proving): Promise<Finding[]> {
  const { name: node } = homeOf(view, facts)
  const connection = o.connections.get(node)
  if (!connection) return [{ level: 'unknown', node, says: 'The node of the services did not take part.' }]
  try {
    const key = await keyFrom(connection, o.signal)
    const client = clientOver(connection, { port: view.cluster.gateway.port, key, signal: o.signal })
    const began = performance.now()
    const answer = await answered(client, o.signal)
    const seconds = Math.round((performance.now() - began) / 100) / 10
    const says = `The gateway answered a question in ${seconds} s (${answer.model}, ${answer.sources.length} sources).`
    return [{ level: 'ok', node, says }, ...(await revoked(client, node))]
  } catch (thrown) {
    o.signal?.throwIfAborted()
    const says = `The services run, but a question was not answered: ${reasonOf(thrown)}`
    return [{ level: 'bad', node, says, fix: `Look: llmagentos node logs ${node} ${UNIT}` }]
  }
}

/** Made on the node, by whoever may enter the folder of the sockets. */
async function keyFrom(connection: Connection, signal?: AbortSignal): Promise<Secret> {
  const argv = ['runuser', '-u', USER, '--', COMMAND, 'admin-key', '--config', CONFIG]
  return waitFor({ says: 'a key for the proof', deadlineMs: KEY_MS, everyMs: 1_000, signal }, async () => {
    const { code, stdout, stderr } = await connection.exec(argv, { root: true, deadlineMs: KEY_MS, signal })
    if (code !== 0) throw new Error(stderr.trim())
    return new Secret(stdout.trim())
  })
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
    const says = `The key of the proof was not revoked: ${reasonOf(thrown)}`
    return [{ level: 'warn', node, says, fix: 'Look: llmagentos key list' }]
  }
}
