import { X509Certificate } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PEM_TYPE, REQUEST_LIMIT, type SignerConfig } from '../../../contracts/certificates.ts'
import type { Log } from '../../../log.ts'
import { badRequest, Refusal } from '../../refusal.ts'
import { certificateOf } from './admit.ts'
import { type Member, memberOf } from './caller.ts'
import { Leases } from './leases.ts'
import { Quota } from './quota.ts'
import { Signatures } from './sign.ts'

type Named = FastifyRequest<{ Params: { name: string } }>

/** Certificates and leases, each for whom the client certificate says and for nobody else. */
export function addRoutes(app: FastifyInstance, { config, log }: { config: SignerConfig; log: Log }): void {
  const [signatures, leases, quota] = [new Signatures(config), new Leases(), new Quota()]
  app.addContentTypeParser(
    PEM_TYPE,
    { parseAs: 'string', bodyLimit: REQUEST_LIMIT },
    (_req, body, done) => void done(null, body),
  )
  // Before the body is read.
  const members = new WeakMap<object, Member>()
  const onRequest = async (req: FastifyRequest) => {
    const { name } = (req as Named).params
    try {
      members.set(req, memberOf(certificateOf(req), name, config))
    } catch (thrown) {
      if (thrown instanceof Refusal)
        log.warn({ from: req.raw.socket.remoteAddress, name, why: thrown.message }, 'refused')
      throw thrown
    }
  }
  app.post('/v1/certificates/:name', { onRequest, bodyLimit: REQUEST_LIMIT }, async (req, reply) => {
    const member = members.get(req)!
    if (typeof req.body !== 'string') throw badRequest(`A request of the type ${PEM_TYPE} is needed.`)
    const { node, name, wanted } = member
    const wait = quota.take({ node, name, lifeMs: wanted.seconds * 1000 })
    if (wait !== undefined)
      throw new Refusal(429, 'quota', `${node} had too many certificates of ${name}.`, {
        retryAfterSeconds: wait,
      })
    const pem = await signatures.sign(member, req.body)
    log.info({ node, name, until: new X509Certificate(pem).validTo }, 'signed')
    return reply.type(PEM_TYPE).send(pem)
  })
  app.put('/v1/leases/:name', { onRequest }, async (req, reply) => {
    const { name, node } = members.get(req)!
    const holder = leases.take(name, node)
    if (holder !== undefined) throw new Refusal(409, 'leased', `${holder} is renewing ${name} just now.`)
    return reply.code(204).send()
  })
  app.delete('/v1/leases/:name', { onRequest }, async (req, reply) => {
    const { name, node } = members.get(req)!
    leases.release(name, node)
    return reply.code(204).send()
  })
}
