import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freeDisks } from '../../src/provision/cluster/free-disks.ts'
import { initialFile } from '../../src/provision/cluster/init.ts'
import { load, parse } from '../../src/provision/cluster/load.ts'
import { jsonSchema } from '../../src/provision/cluster/reference.ts'
import { runCli } from '../helpers/cli.ts'
import { tempFolder } from '../helpers/temp.ts'

const machines = (count: number) => Array.from({ length: count }, (_, i) => `ops@10.0.0.${11 + i}`)

test('init writes a file that loads, and says what is next', async () => {
  const folder = tempFolder()
  const run = await runCli(['init', '--offline', ...machines(3)], { folder })
  expect(run).toMatchObject({ code: 0, stderr: '' })
  expect(run.stdout).toMatchInlineSnapshot(`
    "cluster.yaml is written, with 3 nodes.
      next     look through it: each field says what it does, and # stands before what is not set;
               write \`recovery:\`, then: llmagentos cluster check, llmagentos cluster up
    "
  `)
  const cluster = load(join(folder, 'cluster.yaml'), {})
  expect(cluster).toMatchObject({ name: 'main', ssh: { user: 'ops' } })
  expect(cluster.nodes.map(n => [n.name, n.address])).toEqual([
    ['node1', '10.0.0.11'],
    ['node2', '10.0.0.12'],
    ['node3', '10.0.0.13'],
  ])
})

test('the whole file is this', async () => {
  const { stdout } = await runCli([
    'init',
    '--offline',
    'ops@10.0.0.11',
    'ops@gpu1.example.org',
    'root@10.0.0.13:2222',
    '--name',
    'halle',
    '-o',
    '-',
  ])
  expect(stdout).toMatchSnapshot()
})

test.each([
  [1, ['control,worker']],
  [2, ['control', 'worker']],
  [3, ['control,storage,worker', 'control,storage,worker', 'control,storage,worker']],
  [5, ['control,storage', 'control,storage', 'control,storage', 'worker', 'worker']],
])('roles of %i machines follow the rule in --help', async (count, roles) => {
  const { stdout } = await runCli(['init', '--offline', ...machines(count), '-o', '-'])
  expect(parse(stdout, { env: {} }).nodes.map(n => n.roles.join())).toEqual(roles)
})

test('what it shows as a comment is turned on by taking the # away', async () => {
  const { stdout } = await runCli(['init', '--offline', ...machines(3), '-o', '-'])
  const blocks = stdout.split('\n\n')
  const turnedOn = blocks.map(block => block.replace(/^#(?=\w| {2})/gm, ''))
  expect(turnedOn.filter((block, i) => block !== blocks[i]).length).toBeGreaterThan(8)
  for (const [i, block] of turnedOn.entries())
    expect(complaints(blocks.with(i, block).join('\n\n'))).not.toMatch(/not YAML|not known|must be/)
})

test('names are those of the hosts, or numbers where two are alike', async () => {
  const names = async (...targets: string[]) =>
    parse((await runCli(['init', '--offline', ...targets, '-o', '-'])).stdout, { env: {} }).nodes.map(
      n => n.name,
    )
  expect(await names('ops@Ctl1.example.org', 'ops@gpu1.example.org')).toEqual(['ctl1', 'gpu1'])
  expect(await names('ops@a.one.org', 'ops@a.two.org')).toEqual(['node1', 'node2'])
})

test('a machine without a user gets the one who asks', async () => {
  const { stdout } = await runCli(['init', '--offline', '10.0.0.11', '-o', '-'], { env: { USER: 'anna' } })
  expect(parse(stdout, { env: {} }).ssh.user).toBe('anna')
})

describe('a file that exists', () => {
  test('is not touched without --force', async () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'cluster.yaml'), 'mine')
    const refused = await runCli(['init', ...machines(1)], { folder })
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('exists already')
    expect(readFileSync(join(folder, 'cluster.yaml'), 'utf8')).toBe('mine')
    expect(readdirSync(folder)).toEqual(['cluster.yaml'])
    expect(await runCli(['init', '--offline', ...machines(1), '--force'], { folder })).toMatchObject({
      code: 0,
    })
    expect(load(join(folder, 'cluster.yaml'), {}).nodes).toHaveLength(1)
  })
})

test.each([
  ['ops@10.0.0.256'],
  ['ops@'],
  ['@10.0.0.1'],
  ['10.0.0.1'],
  ['ops@fd00::1'],
  ['ops@10.0.0.1:70000'],
  ['ops@127.0.0.1'],
  ['ops@10.0.0.1 ops@10.0.0.1'],
  ['ops@10.0.0.1 --name Halle'],
  ['ops@10.0.0.1 --offline -o nowhere/cluster.yaml'],
])('init %s is refused with what to do, and writes nothing', async words => {
  const folder = tempFolder()
  const run = await runCli(['init', ...words.split(' ')], { folder })
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(/^error: /)
  expect(existsSync(join(folder, 'cluster.yaml'))).toBe(false)
})

test('machines that cannot be looked at are named, and nothing is written', async () => {
  const folder = tempFolder()
  const run = await runCli(['init', 'ops@one.invalid', 'ops@two.invalid'], { folder })
  expect(run).toMatchObject({ code: 4, stdout: '' })
  expect(run.stderr).toContain('error: 2 of 2 machines could not be looked at. Nothing was written.')
  expect(run.stderr).toContain('-i FILE names a private key')
  expect(run.stderr).toMatch(/ops@one\.invalid cannot be reached .*\n.*ops@two\.invalid cannot be reached/)
  expect(run.stderr).toContain('--offline')
  expect(readdirSync(folder)).not.toContain('cluster.yaml')
})

test('what machines say stands above their lines, and is filled in', () => {
  const found = (more: object) => ({
    hostname: 'ctl1.example.org',
    addresses: ['10.0.0.11', '192.168.1.1'],
    memoryBytes: 64 * 2 ** 30,
    cpus: 8,
    disks: [],
    gpus: [],
    ...more,
  })
  const disk = { id: 'ata-ST4000_ZX1', sizeBytes: 4e12, class: 'hdd' as const }
  const text = initialFile({
    name: 'halle',
    targets: ['ops@10.0.0.11', 'ops@192.0.2.12', 'root@10.0.0.13:2222', 'ops@10.0.0.14'],
    identityFile: '/home/anna/key',
    found: [
      found({ disks: [disk] }),
      found({ hostname: 'Ctl2', addresses: ['10.0.0.12'] }),
      found({ hostname: 'localhost', addresses: ['10.0.0.13'], memoryBytes: 2 ** 31 }),
      found({ hostname: 'gpu1', addresses: ['10.0.0.14'], disks: [disk], gpus: ['nvidia', 'nvidia'] }),
    ],
  })
  const nodes = text.slice(text.indexOf('\nnodes:') + 1, text.indexOf('# Nodes with all'))
  expect(nodes).toMatchInlineSnapshot(`
    "nodes:
      # ctl1.example.org: 64 GiB, 8 CPUs, no GPU, addresses 10.0.0.11 192.168.1.1; blank disks: ata-ST4000_ZX1 (hdd, 3725 GiB)
      - {name: ctl1, address: 10.0.0.11, roles: [control, storage], disks: [{id: ata-ST4000_ZX1, class: hdd}]}
      # Ctl2: 64 GiB, 8 CPUs, no GPU; blank disks: none
      - {name: ctl2, address: 10.0.0.12, ssh: {host: 192.0.2.12}, roles: [control, storage]}
      # localhost: 2.0 GiB, 8 CPUs, no GPU; blank disks: none
      - {name: node3, address: 10.0.0.13, ssh: {user: root, port: 2222}, roles: [control, storage]}
      # gpu1: 64 GiB, 8 CPUs, 2 GPU (nvidia); blank disks: ata-ST4000_ZX1 (hdd, 3725 GiB)
      - {name: gpu1, address: 10.0.0.14, roles: [worker], labels: {gpu: nvidia}}
    "
  `)
  expect(parse(text, { env: {} }).ssh.identityFile).toBe('/home/anna/key')
})

test("of a machine's disks those with nothing on them are found, each by its best name", () => {
  const lines = [
    '/dev/sda\twwn-0x5000\t7814037168\t1\tsda ',
    '/dev/sda\tata-ST4000_ZX1\t7814037168\t1\tsda ',
    '/dev/sdb\tata-SSD_1\t1000215216\t0\tsdb sdb1 ext4 /',
    '/dev/sdc\tata-SSD_2\t1000215216\t0\tsdc LVM2_member ',
    '/dev/nvme0n1\tnvme-eui.0025\t2000409264\t0\tnvme0n1 ',
    '/dev/nvme0n1\tnvme-SAMSUNG_S1\t2000409264\t0\tnvme0n1 ',
    '',
  ]
  expect(freeDisks.parse(lines.join('\n'))).toEqual([
    { id: 'ata-ST4000_ZX1', sizeBytes: 4_000_787_030_016, class: 'hdd' },
    { id: 'nvme-SAMSUNG_S1', sizeBytes: 1_024_209_543_168, class: 'nvme' },
  ])
})

test('cluster schema prints the JSON schema', async () => {
  const run = await runCli(['cluster', 'schema'])
  expect(JSON.parse(run.stdout)).toEqual(JSON.parse(JSON.stringify(jsonSchema())))
})

/** Values of the example need not fit these machines; their fields must. */
function complaints(text: string): string {
  try {
    parse(text, { env: {} })
    return ''
  } catch (thrown) {
    return (thrown as { why?: string }).why ?? String(thrown)
  }
}
