import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lacks, storiesOfTheLab } from './here.ts'
import { findLab, type Lab, openLab } from './lab.ts'
import { ran } from './parts/commands.ts'

storiesOfTheLab()

let lab: Lab

beforeAll(async () => {
  if (!lacks) lab = await openLab({ nodes: ['n1', 'n2', { name: 'old', suite: 'bookworm' }] })
})
afterAll(() => lab?.close())

test('labs without a name get names and networks of their own, also when they come and go at once', async () => {
  const open = () => openLab({ nodes: 1, flavour: 'bare' })
  const others = await Promise.all([open(), open(), open()])
  const all = [lab, ...others]
  expect(new Set(all.map(({ name }) => name)).size).toBe(4)
  expect(new Set(all.map(({ nodes }) => nodes[0]!.address)).size).toBe(4)
  await Promise.all(others.map(other => other.close()))
  expect(others.map(({ name }) => findLab(name))).toEqual([undefined, undefined, undefined])
  expect(await lab.node('n1').run('hostname')).toBe('n1\n')
})

test('nodes of one lab may be of two suites', async () => {
  const codename = '. /etc/os-release; echo $VERSION_CODENAME'
  expect(await Promise.all(lab.nodes.map(node => node.run(codename)))).toEqual([
    'trixie\n',
    'trixie\n',
    'bookworm\n',
  ])
  expect(lab.nodes.map(node => node.suite)).toEqual(['trixie', 'trixie', 'bookworm'])
  await lab.node('old').reboot()
  expect(await lab.node('old').run(codename)).toBe('bookworm\n')
})

test('a line that fails throws with what it said', async () => {
  const failing = lab.node('n1').run('echo aha >&2; exit 3')
  await expect(failing).rejects.toThrow('echo aha >&2; exit 3 ended with 3: aha')
  expect(await lab.node('n1').run('id -un; cat', { user: 'ops', input: 'in' })).toBe('ops\nin')
})

test('the files of a node are the same lines until somebody writes', async () => {
  const node = lab.node('n1')
  await node.run('mkdir -p "/opt/a b" && echo text >"/opt/a b/c d" && ln -s "/etc/x y" /opt/link')
  const before = await node.files()
  expect(before.length).toBeGreaterThan(300)
  expect(before.find(line => line.startsWith('/opt/a b/c d f '))).toMatch(/ 644 0:0 .* 5 .*[0-9a-f]{64}$/)
  expect(before.some(line => line.startsWith('/opt/link l '))).toBe(true)
  expect(await node.files()).toEqual(before)
  await node.run('echo text >"/opt/a b/c d"')
  expect(await node.files()).not.toEqual(before)
  const folder = (await node.files()).filter(line => line.startsWith('/etc d '))
  await node.run('touch /etc/short && rm /etc/short')
  expect((await node.files()).filter(line => line.startsWith('/etc d '))).not.toEqual(folder)
})

test('logins are counted, but for those of the lab itself', async () => {
  for (const node of lab.nodes) {
    const before = await node.logins()
    await node.run('true')
    expect(await node.logins(), node.suite).toBe(before)
    for (const user of ['root', 'ops'])
      expect(await fromHere(`${user}@${node.name}`, 'true')).toMatchObject({ code: 0 })
    expect(await node.logins(), node.suite).toBe(before + 2)
  }
})

test('behind a bastion the others are reached through it alone', async () => {
  lab.bastion('n1')
  expect(await fromHere('n1', 'hostname')).toMatchObject({ stdout: 'n1\n' })
  expect(await fromHere('n2', 'hostname')).toMatchObject({ code: 255 })
  await expect(greeting(lab.node('old').address)).rejects.toThrow('ECONNREFUSED')
  const through = await fromHere('-J', 'n1', 'n2', 'hostname')
  expect(through, through.stderr).toMatchObject({ stdout: 'n2\n' })
  expect(await lab.node('n2').run('hostname')).toBe('n2\n')
  await lab.node('n2').reboot()
  lab.bastion()
  expect(await fromHere('n2', 'hostname')).toMatchObject({ stdout: 'n2\n' })
})

test('packages that stories want are installed without a download', async () => {
  for (const name of ['n1', 'old']) {
    const node = lab.node(name)
    await node.run('apt-get -qq update')
    const would = 'apt-get -y --no-install-recommends --print-uris install rabbitmq-server keepalived'
    expect(await node.run(`${would} | grep "^'" || true`), name).toBe('')
  }
})

/** ssh as a story's own program calls it, from this machine's address. */
const fromHere = (...words: string[]) => ran(['ssh', '-F', lab.sshConfig, ...words])

async function greeting(address: string): Promise<string> {
  const socket = connect(22, address)
  const [data] = await once(socket, 'data')
  socket.destroy()
  return String(data)
}
