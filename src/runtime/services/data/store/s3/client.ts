import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { S3Config } from '../../../../../contracts/s3.ts'
import { Secret } from '../../../../../secret.ts'
import { Wire } from './wire.ts'

/** A gateway closes a connection that was idle for 65 s; ours are gone before, so that none is closed under a request. */
const SOCKETS = { keepAlive: true, noDelay: true, maxSockets: 64, maxFreeSockets: 16, timeout: 30_000 }
const CONNECT_MS = 2_000
const REGION = 'us-east-1'

/** The library's client of one gateway. */
export const clientOf = (config: S3Config, at: S3Config['endpoints'][number]) => linesOf(config, at).client

/** Two ways to one gateway over the same connections, one try of each request: what is repeated, and where, is decided above. Files are read here. */
export function linesOf(
  config: S3Config,
  at: S3Config['endpoints'][number],
): { client: S3Client; wire: Wire } {
  const secretKey = new Secret(readFileSync(config.secretKeyFile, 'utf8').trim())
  const ca = config.tls && readFileSync(config.tls.ca)
  quiet()
  const [httpAgent, httpsAgent] = [new HttpAgent(SOCKETS), new HttpsAgent({ ...SOCKETS, ca })]
  const region = config.region ?? REGION
  const client = new S3Client({
    endpoint: `${ca ? 'https' : 'http'}://${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: config.accessKey, secretAccessKey: secretKey.reveal() },
    maxAttempts: 1,
    // Ceph 16 knows none of the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      httpAgent,
      httpsAgent,
      connectionTimeout: CONNECT_MS,
      // Who asks waits in a line for a socket; the library would warn of it.
      socketAcquisitionWarningTimeout: 60_000,
    }),
    // Said, so that no file in the home of whoever runs this is asked.
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    useArnRegion: false,
    retryMode: 'standard',
    defaultsMode: 'standard',
    // It would cost a large body one more round trip.
    expectContinueHeader: false,
  })
  const wire = new Wire({
    ...at,
    tls: ca !== undefined,
    agent: ca ? httpsAgent : httpAgent,
    signer: { accessKey: config.accessKey, secretKey, region },
    connectMs: CONNECT_MS,
  })
  return { client, wire }
}

/** The library warns, on Node 20, that versions of 2027 will not run there; package.json names one that does. */
function quiet(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
}
