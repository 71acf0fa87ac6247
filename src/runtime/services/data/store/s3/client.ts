import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { S3Config } from '../../../../../contracts/s3.ts'
import { Secret } from '../../../../../secret.ts'

/** A gateway closes a connection that was idle for 65 s; ours are gone before, so that none is closed under a request. */
const SOCKETS = { keepAlive: true, noDelay: true, maxSockets: 64, maxFreeSockets: 16, timeout: 30_000 }
const CONNECT_MS = 2_000
const REGION = 'us-east-1'

/** One gateway alone, one try of each request: what is repeated, and where, is decided above. Files are read here. */
export function clientOf(config: S3Config, at: S3Config['endpoints'][number]): S3Client {
  const secretKey = new Secret(readFileSync(config.secretKeyFile, 'utf8').trim())
  const ca = config.tls && readFileSync(config.tls.ca)
  quiet()
  const client = new S3Client({
    endpoint: `${ca ? 'https' : 'http'}://${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`,
    region: config.region ?? REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: config.accessKey, secretAccessKey: secretKey.reveal() },
    maxAttempts: 1,
    // Ceph 16 knows none of the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(SOCKETS),
      httpsAgent: new HttpsAgent({ ...SOCKETS, ca }),
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
  // TLS guards large bodies on their way; their digest in the signature would cost both ends as much again.
  if (ca)
    client.middlewareStack.add(
      (next, { commandName }) =>
        args => {
          const { headers } = args.request as { headers: Record<string, string> }
          if (commandName === 'UploadPartCommand') headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
          return next(args)
        },
      { step: 'build', name: 'unsignedParts' },
    )
  return client
}

/** The library warns, on Node 20, that versions of 2027 will not run there; package.json names one that does. */
function quiet(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
}
