import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

/** Where a download goes out, and who hears of it. */
export interface Around {
  env: NodeJS.ProcessEnv
  /** Of site.proxy; the environment's own words (https_proxy, no_proxy) come first. */
  proxy?: { url: string; except: string[] }
  signal?: AbortSignal
  onBytes?(bytes: number): void
}

const CONNECT_MS = 10_000
const SILENCE_MS = 60_000
const REDIRECTS = 5

/** What a server said instead of the file. */
export class Refused extends Error {
  /** It may be another answer in a moment. */
  readonly passes: boolean

  constructor(status: number) {
    super(`the server answered ${status}`)
    this.passes = status >= 500 || status === 429 || status === 408
  }
}

/** What comes behind the first `from` bytes, or all where the server cannot begin there. Undefined where there is nothing behind them. */
export async function rest(
  url: string,
  from: number,
  around: Around,
): Promise<{ body: Readable; from: number } | undefined> {
  const { EnvHttpProxyAgent } = await import('undici')
  const agent = new EnvHttpProxyAgent({
    ...proxiesOf(around),
    connect: { timeout: CONNECT_MS, noDelay: true },
  })
  const close = () => void agent.destroy().catch(() => undefined)
  try {
    const reply = await followed(new URL(url), { from, agent, signal: around.signal })
    if (reply.statusCode === 416) {
      await reply.body.dump()
      close()
      return undefined
    }
    const begins = reply.statusCode === 206 ? from : 0
    reply.body.once('close', close)
    reply.body.on('data', (piece: Buffer) => around.onBytes?.(piece.length))
    reply.body.pause()
    return { body: reply.body, from: begins }
  } catch (thrown) {
    close()
    throw thrown
  }
}

async function followed(
  url: URL,
  o: { from: number; agent: Dispatcher; signal?: AbortSignal },
): Promise<Dispatcher.ResponseData> {
  let at = url
  for (let turns = 0; turns <= REDIRECTS; turns++) {
    const reply = await o.agent.request({
      origin: at.origin,
      path: `${at.pathname}${at.search}`,
      method: 'GET',
      headers: { ...(o.from > 0 && { range: `bytes=${o.from}-` }), ...authorization(at) },
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      signal: o.signal,
    })
    const { statusCode, headers } = reply
    if (statusCode === 200 || statusCode === 206 || (statusCode === 416 && o.from > 0)) return reply
    await reply.body.dump()
    const to = [301, 302, 303, 307, 308].includes(statusCode) && headers['location']
    if (!to) throw new Refused(statusCode)
    const next = new URL(String(to), at)
    if (at.protocol === 'https:' && next.protocol !== 'https:')
      throw new Error(`the server sends on to ${next.origin}, which is not encrypted`)
    at = next
  }
  throw new Error(`the server sends on more than ${REDIRECTS} times`)
}

function authorization({ username, password }: URL): Record<string, string> {
  if (!username) return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

function proxiesOf({ env, proxy }: Around) {
  const httpProxy = env['http_proxy'] || env['HTTP_PROXY'] || proxy?.url
  const httpsProxy = env['https_proxy'] || env['HTTPS_PROXY'] || proxy?.url
  const noProxy = env['no_proxy'] || env['NO_PROXY'] || proxy?.except.join(',')
  // Empty, or the agent would read this process's own environment.
  return { httpProxy: httpProxy ?? '', httpsProxy: httpsProxy ?? '', noProxy: noProxy ?? '' }
}
