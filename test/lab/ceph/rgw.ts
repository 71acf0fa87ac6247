import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import type { S3Config } from '../../../src/contracts/s3.ts'
import { clientOf } from '../../../src/runtime/services/data/store/s3/client.ts'
import { authority } from '../authority.ts'
import type { Lab, LabNode } from '../lab.ts'
import { installCeph, PLAIN, TLS, USER } from './one-node.ts'

type Gateway = keyof typeof PLAIN
const BOTH: Gateway[] = ['a', 'b']

/** A real Ceph on one node, with two gateways that speak S3. */
export interface Rgw {
  node: LabNode
  version: string
  /** Buckets of its own, made unless `made` is false; over TLS unless `tls` is false. Gateways: both, `a` first, unless named. */
  config(o?: { tls?: boolean; gateways?: Gateway[]; made?: boolean }): Promise<S3Config>
  /** As after `kill -9`; it stays down until `start`. */
  kill(gateway: Gateway): Promise<void>
  start(gateway: Gateway): Promise<void>
  /** Whether its processes get any time. */
  freeze(gateway: Gateway, frozen: boolean): Promise<void>
}

/** By hand: `npm run lab -- up 1 --name c` and `npm run lab -- rgw n1 --name c`. */
export async function startRgw(lab: Lab, node = lab.nodes[0]!): Promise<Rgw> {
  const folder = join(lab.folder, `ceph-${node.name}`)
  const ca = authority(folder)
  const files = ca.issue(node)
  const secretKey = randomBytes(24).toString('hex')
  const secretKeyFile = join(folder, 'secret-key')
  writeFileSync(secretKeyFile, `${secretKey}\n`, { mode: 0o600 })
  await installCeph(node, {
    disk: await node.addDisk('20G'),
    certificate: readFileSync(files.certificate, 'utf8'),
    key: readFileSync(files.key, 'utf8'),
    secretKey,
  })
  const unit = (gateway: Gateway) => `ceph-radosgw@rgw.${gateway}`
  return {
    node,
    version: /version (\S+)/.exec(await node.run('ceph --version'))?.[1] ?? '',
    async config({ tls = true, gateways = BOTH, made = true } = {}) {
      const run = `t${randomBytes(4).toString('hex')}`
      const config: S3Config = {
        endpoints: gateways.map(g => ({ host: node.address, port: (tls ? TLS : PLAIN)[g] })),
        ...(tls && { tls: { ca: ca.certificate } }),
        buckets: { tasks: `${run}-tasks`, data: `${run}-data`, kb: `${run}-kb`, sys: `${run}-sys` },
        accessKey: USER,
        secretKeyFile,
      }
      if (made) await makeBuckets(config, PLAIN[gateways[0]!])
      return config
    },
    kill: async g => void (await node.run(`systemctl kill -s KILL ${unit(g)}; systemctl stop ${unit(g)}`)),
    async start(g) {
      const answers = `curl -sf -o /dev/null http://${node.address}:${PLAIN[g]}/`
      const wait = `for i in $(seq 100); do ${answers} && exit; sleep 0.5; done; exit 1`
      await node.run(`systemctl reset-failed ${unit(g)}; systemctl start ${unit(g)}; ${wait}`)
    },
    freeze: async (g, frozen) =>
      void (await node.run(`systemctl kill -s ${frozen ? 'STOP' : 'CONT'} ${unit(g)}`)),
  }
}

async function makeBuckets(config: S3Config, port: number): Promise<void> {
  const { tls: _, ...plain } = config
  const client = clientOf(plain, { host: config.endpoints[0]!.host, port })
  for (const Bucket of Object.values(config.buckets)) await client.send(new CreateBucketCommand({ Bucket }))
  client.destroy()
}
