import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AmqpConfig } from '../../../src/contracts/bus.ts'
import { waitFor } from '../../../src/retry.ts'
import { type Authority, authority } from '../authority.ts'
import type { Lab, LabNode } from '../lab.ts'

const PORT = 5671
const USER = 'llmagentos'
const STARTED_MS = 180_000

/** A cluster of brokers on the nodes of a lab, Debian's own packages, reached over TLS alone. */
export interface Brokers {
  nodes: LabNode[]
  /** Of a cluster with a name of its own: its queues and exchanges are nobody else's. */
  config(o?: { nodes?: LabNode[] }): AmqpConfig
  version: string
  /** Writes the right password to another file. */
  putPassword(file: string): void
}

export async function startBrokers(lab: Lab, nodes = lab.nodes): Promise<Brokers> {
  const folder = join(lab.folder, `brokers-${nodes[0]!.name}`)
  const password = randomBytes(24).toString('base64url')
  const cookie = randomBytes(24).toString('hex').toUpperCase()
  const ca = authority(folder)
  writeFileSync(join(folder, 'password'), `${password}\n`, { mode: 0o600 })
  await Promise.all(nodes.map(node => install(node)))
  await Promise.all(nodes.map(node => furnish(node, { nodes, password, cookie, ca, folder })))
  await Promise.all(
    nodes.map(node => node.run('systemctl restart rabbitmq-server', { deadlineMs: STARTED_MS })),
  )
  await united(nodes)
  const listed = await nodes[0]!.run('dpkg -l rabbitmq-server')
  const version = /([0-9.]+)-/.exec(listed)?.[1] ?? ''
  return {
    nodes,
    version,
    putPassword: file => writeFileSync(file, password, { mode: 0o600 }),
    config: ({ nodes: some = nodes } = {}) => ({
      cluster: `t${randomBytes(4).toString('hex')}`,
      brokers: some.map(node => ({ host: node.address, port: PORT })),
      user: USER,
      passwordFile: join(folder, 'password'),
      tls: { ca: ca.certificate },
    }),
  }
}

/** The machine keeps its power: the broker and its Erlang die at once, as after `kill -9`. */
export async function killBroker(node: LabNode): Promise<void> {
  await node.run('systemctl kill -s KILL rabbitmq-server')
}

export async function stopBroker(node: LabNode): Promise<void> {
  await node.run('systemctl stop rabbitmq-server', { deadlineMs: STARTED_MS })
}

export async function startBroker(node: LabNode): Promise<void> {
  const line = 'systemctl reset-failed rabbitmq-server; systemctl restart rabbitmq-server'
  await node.run(line, { deadlineMs: STARTED_MS })
}

/** Whether its processes get any time. */
export async function freezeBroker(node: LabNode, frozen: boolean): Promise<void> {
  await node.run(`systemctl kill -s ${frozen ? 'STOP' : 'CONT'} rabbitmq-server`)
}

/** The brokers that this one sees, itself included, and those it was parted from; undefined while it is starting. */
export async function seenBy(node: LabNode): Promise<{ running: number; parted: boolean } | undefined> {
  const done = await node.ssh(['rabbitmqctl', '-q', 'cluster_status', '--formatter', 'json'])
  if (done.code !== 0) return undefined
  const status = JSON.parse(done.stdout)
  return { running: status.running_nodes.length, parted: Object.keys(status.partitions).length > 0 }
}

/**
 * Waits until each broker sees all the others. One that was frozen for longer than the tick time may stay parted for ever (seen on
 * 3.10, with pause_minority); only its restart ends that.
 */
export async function united(nodes: LabNode[]): Promise<void> {
  let patience = 10
  await waitFor(
    { says: 'the brokers to see each other', deadlineMs: STARTED_MS, everyMs: 1_000 },
    async () => {
      const seen = await Promise.all(nodes.map(seenBy))
      if (seen.every(s => s?.running === nodes.length && !s.parted)) return true
      if (--patience > 0) return undefined
      patience = 10
      await Promise.all(nodes.filter((_, i) => seen[i]?.parted).map(startBroker))
      return undefined
    },
  )
}

async function install(node: LabNode): Promise<void> {
  // Its first start would make a broker alone, with another cookie and the user guest.
  await node.run('ln -sf /dev/null /etc/systemd/system/rabbitmq-server.service && systemctl daemon-reload')
  const apt =
    'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends rabbitmq-server'
  await node.run(apt, { deadlineMs: 400_000 })
  await node.run('rm /etc/systemd/system/rabbitmq-server.service && systemctl daemon-reload')
}

interface Furnishing {
  nodes: LabNode[]
  password: string
  cookie: string
  ca: Authority
  folder: string
}

async function furnish(node: LabNode, o: Furnishing): Promise<void> {
  const { certificate, key } = o.ca.issue(node)
  const conf = [
    'listeners.tcp = none',
    `listeners.ssl.default = ${PORT}`,
    'ssl_options.cacertfile = /etc/rabbitmq/ca.pem',
    'ssl_options.certfile = /etc/rabbitmq/cert.pem',
    'ssl_options.keyfile = /etc/rabbitmq/key.pem',
    'ssl_options.verify = verify_none',
    'ssl_options.fail_if_no_peer_cert = false',
    // The first user takes the place of guest.
    `default_user = ${USER}`,
    `default_pass = ${o.password}`,
    'cluster_partition_handling = pause_minority',
    'net_ticktime = 15',
    'raft.wal_max_size_bytes = 64000000',
    'cluster_formation.peer_discovery_backend = classic_config',
    ...o.nodes.map((n, i) => `cluster_formation.classic_config.nodes.${i + 1} = rabbit@${n.name}`),
  ]
  const put = (file: string, text: string | Buffer) =>
    node.run(`cat >${file} && chown rabbitmq:rabbitmq ${file} && chmod 600 ${file}`, {
      input: String(text),
    })
  await put('/etc/rabbitmq/rabbitmq.conf', `${conf.join('\n')}\n`)
  await put('/etc/rabbitmq/ca.pem', readFileSync(o.ca.certificate))
  await put('/etc/rabbitmq/cert.pem', readFileSync(certificate))
  await put('/etc/rabbitmq/key.pem', readFileSync(key))
  await put('/var/lib/rabbitmq/.erlang.cookie', o.cookie)
  await node.run('chmod 400 /var/lib/rabbitmq/.erlang.cookie')
  const hosts = o.nodes.map(n => `${n.address} ${n.name}`).join('\n')
  // A name that answers 127.0.1.1 would have it listen where no other broker gets to.
  await node.run("sed -i '/^127.0.1.1/d' /etc/hosts && cat >>/etc/hosts", { input: `${hosts}\n` })
}
