import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { packageRoot } from '../../src/assets.ts'
import { waitFor } from '../../src/retry.ts'
import { tempFolder } from '../helpers/temp.ts'
import { storiesOfTheLab } from './here.ts'
import { findLab, type Lab, openLab } from './lab.ts'
import { expectAsBefore, machineState } from './machine-state.ts'
import { output, type Ran, ran } from './parts/commands.ts'
import { processes } from './parts/fence.ts'
import { folderOf, recordOf } from './parts/files.ts'

storiesOfTheLab()

/** A name that a second run on this machine does not take. */
const own = (name: string) => `${name}-${process.pid}`

test('a lab that is closed leaves nothing, and the machine as it was', async () => {
  const before = machineState()
  const lab = await open(own('closed'))
  await lab.node('n1').addDisk('16M')
  lab.node('n2').cut()
  expect(machineState()).not.toEqual(before)
  await lab.close()
  expectAsBefore(before)
})

test('what a lab left that was killed while it booted goes with the next lab', async () => {
  const before = machineState()
  const held = hold(own('killed'))
  await waitFor(
    { says: 'its first node', deadlineMs: 300_000 },
    () => processes(own('killed')).length > 3 || undefined,
  )
  await killed(held)
  await next()
  expectAsBefore(before)
})

test('what a lab left that was killed with nodes and disks in use goes with the next lab', async () => {
  const before = machineState()
  const held = hold(own('killed'))
  await said(held, 'Up in')
  expect(await command('disk', 'n1', '--size', '64M', '--name', own('killed'))).toMatchObject({
    code: 0,
    stdout: '/dev/vdb\n',
  })
  const busy = 'mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt && (yes >/mnt/file &) && echo busy'
  expect((await findLab(own('killed'))!.node('n1').ssh(['sh', '-c', busy])).stdout).toBe('busy\n')
  await killed(held)
  // Its nodes outlive it; the labs of others, where there are any, may have removed it in this moment.
  if (before.shared) expect(processes(own('killed')).length).toBeGreaterThan(10)
  await next()
  expectAsBefore(before)
})

test('the labs of living processes, and loop devices and links that are not a lab’s, are left alone', async () => {
  const file = join(tempFolder(), 'foreign.img')
  writeFileSync(file, '')
  truncateSync(file, 1024 ** 2)
  const loop = output('losetup', ['--find', '--show', file])
  onTestFinished(() => void output('losetup', ['--detach', loop]))
  output('ip', ['link', 'add', 'laolabx', 'type', 'bridge'])
  onTestFinished(() => void output('ip', ['link', 'delete', 'laolabx']))
  const held = hold(own('alive'))
  await said(held, 'Up in')
  const lab = await open(own('closed'))
  const other = findLab(own('alive'))!
  expect(new Set([...lab.nodes, ...other.nodes].map(node => node.address)).size).toBe(4)
  await lab.close()
  expect((await other.node('n1').ssh(['hostname'])).stdout).toBe('n1\n')
  expect(await command('down', '--name', own('alive'))).toMatchObject({ code: 7 })
  expect(machineState().own).toEqual(expect.arrayContaining(['link laolabx', `loop ${loop} ${file}`]))
  held.kill('SIGINT')
  await once(held, 'exit')
  expect(existsSync(folderOf(own('alive')))).toBe(false)
})

test('a name is one lab’s at a time', async () => {
  const lab = await open(own('taken'))
  await expect(openLab({ name: own('taken'), nodes: 1, flavour: 'bare' })).rejects.toThrow(
    `There is a lab ${own('taken')} already`,
  )
  expect((await lab.node('n1').ssh(['hostname'])).stdout).toBe('n1\n')
})

test('the command makes a lab that stays, adds to it when run again, and takes it down', async () => {
  const before = machineState()
  onTestFinished(async () => void (await command('down', '--name', own('kept'))))
  expect(await command('up', '1', '--bare', '--name', own('kept'))).toMatchObject({ code: 0 })
  const id = await idOf('n1')
  await findLab(own('kept'))!.node('n1').kill()
  const again = await command('up', '2', '--bare', '--name', own('kept'))
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/n1 .* on\n.*n2 .* on\n/) })
  expect(await idOf('n1')).toBe(id)
  expect(await idOf('n2')).not.toBe(id)
  const other = await command('up', '2', '--suite', 'bookworm', '--name', own('kept'))
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining(`${own('kept')} is trixie`) })
  expect(recordOf(own('kept'))?.owner).toBeNull()
  expect(await command('down', '--name', own('kept'))).toMatchObject({ code: 0 })
  expectAsBefore(before)
})

test('words behind the node go to its shell, with the exit code back', async () => {
  await open(own('words'))
  const there = await command('ssh', '--name', own('words'), 'ops@n2', 'id -un; echo --name $HOME; exit 3')
  expect(there).toMatchObject({ code: 3, stdout: 'ops\n--name /home/ops\n' })
  expect(await command('ssh', '--name', own('words'), 'n9', 'true')).toMatchObject({
    code: 2,
    stderr: 'The lab has no node n9.\nIts nodes: n1, n2.\n',
  })
})

async function open(name: string): Promise<Lab> {
  const lab = await openLab({ name, nodes: 2, flavour: 'bare' })
  onTestFinished(() => lab.close())
  return lab
}

/** The next lab, and its end. */
async function next(): Promise<void> {
  const lab = await openLab({ name: own('next'), nodes: 1, flavour: 'bare' })
  await lab.close()
}

function hold(name: string): ChildProcess {
  const args = ['scripts/lab.js', 'up', '2', '--bare', '--hold', '--name', name]
  const child = spawn(process.execPath, args, { cwd: packageRoot(), stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function said(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => text.includes(words) && resolve())
    child.once('exit', code => reject(new Error(`it ended with ${code}`)))
  })
}

const command = (...args: string[]): Promise<Ran> =>
  ran([process.execPath, join(packageRoot(), 'scripts/lab.js'), ...args])

async function idOf(node: string): Promise<string> {
  return (await findLab(own('kept'))!.node(node).ssh(['cat', '/etc/machine-id'])).stdout
}
