import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../helpers/cli.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster?.stop())

const cli = (args: string[], stdin?: string | Buffer) =>
  runCli(args, { folder: cluster.folder, ...(stdin && { stdin }) })

test('what is piped in is answered from, line by line', async () => {
  const stdin = 'The meeting is on Monday.\n\nBring the red folder and the key for the archive.\n'
  const asked = await cli(['ask', 'what should I bring?', '-'], stdin)
  expect(asked.stdout).toContain('Bring the red folder and the key for the archive. [1]')
  expect(asked.stdout).toContain('[1] input/stdin:')
})

test('what is piped in and is no text is refused with what to do', async () => {
  const refused = await cli(['ask', 'sum up', '-'], Buffer.from([0xff, 0xfe, 0x41]))
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toContain('not UTF-8 text')
})

test('clusters are listed and chosen; an unknown one is refused with those there are', async () => {
  expect((await cli(['cluster', 'list'])).stdout).toBe(`* local  ${cluster.url}\n`)
  const keyFile = join(cluster.folder, 'config/llmagentos/local.key')
  await cli(['cluster', 'use', 'second', '--url', cluster.url, '--key-file', keyFile])
  expect((await cli(['cluster', 'list', '--json'])).stdout).toContain('"current":"second"')
  expect((await cli(['cluster', 'status'])).code).toBe(0)
  const unknown = await cli(['cluster', 'use', 'third'])
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('There is no cluster named third.\n  next: Known: local, second.')
  await cli(['cluster', 'use', 'local'])
})
