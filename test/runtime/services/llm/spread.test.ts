import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { PullFrame } from '../../../../src/contracts/models.ts'
import { silent } from '../../../../src/log.ts'
import { ownHop } from '../../../../src/runtime/hop.ts'
import { spread } from '../../../../src/runtime/services/llm/spread.ts'
import { Workers } from '../../../../src/runtime/services/llm/workers.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { startOllamaStandIn } from '../../../helpers/ollama-stand-in/index.ts'
import { tempFolder } from '../../../helpers/temp.ts'
import { startWorker, workerSocket } from '../worker/running.ts'

const BYTES = 1_000_000

test('a model is downloaded once, and goes from one worker to the next', async () => {
  const site = await siteOf(4)
  const frames = await site.spread({ name: 'tiny' })
  expect(site.downloads()).toBe(1)
  expect(frames.at(-1)).toEqual({
    type: 'done',
    model: 'tiny',
    workers: expect.arrayContaining(['w1', 'w2', 'w3', 'w4']),
  })
  const placed = frames.filter(frame => frame.type === 'placed')
  expect(placed).toHaveLength(4)
  expect(placed.filter(({ from }) => from === undefined)).toHaveLength(1)
  const disks = site.ollamas.map(({ folder }) => filesIn(folder))
  for (const disk of disks) expect(disk).toEqual(disks[0])
  for (const { ollama } of site.ollamas) expect([0, BYTES + 2]).toContain(ollama.taken)
  await vi.waitFor(() => expect(site.has('tiny')).toEqual(['w1', 'w2', 'w3', 'w4']))
})

test('as many workers as are wanted have it, those with the labels alone; who has it already counts', async () => {
  const site = await siteOf(3)
  await site.spread({ name: 'tiny', on: { gpu: 'h200' } })
  await vi.waitFor(() => expect(site.has('tiny')).toEqual(['w1']))
  await site.spread({ name: 'tiny', workers: 2 })
  await vi.waitFor(() => expect(site.has('tiny')).toHaveLength(2))
  await expect(site.spread({ name: 'tiny', workers: 4 })).rejects.toMatchObject({ status: 409 })
  await expect(site.spread({ name: 'tiny', on: { gpu: 'none' } })).rejects.toMatchObject({ status: 404 })
  expect(site.downloads()).toBe(1)
})

test('one that is nowhere is refused, and nothing is left of it', async () => {
  const site = await siteOf(2)
  await expect(site.spread({ name: 'nothing-like-it' })).rejects.toMatchObject({
    status: 404,
    code: 'no_model',
  })
  expect(site.has('nothing-like-it')).toEqual([])
})

test('a layer that is damaged on its source is not taken, and the others say so', async () => {
  const site = await siteOf(2)
  await site.spread({ name: 'tiny', workers: 1 })
  await vi.waitFor(() => expect(site.has('tiny')).toHaveLength(1))
  const [owner] = site.has('tiny')
  const { folder } = site.ollamas[Number(owner!.slice(1)) - 1]!
  const blobs = join(folder, 'blobs')
  const large = readdirSync(blobs).find(name => statSync(join(blobs, name)).size === BYTES)!
  const bytes = readFileSync(join(blobs, large))
  bytes.writeUInt8(bytes.readUInt8(500_000) ^ 1, 500_000)
  writeFileSync(join(blobs, large), bytes)
  await expect(site.spread({ name: 'tiny' })).rejects.toMatchObject({
    code: 'not_everywhere',
    message: expect.stringMatching(/digest mismatch/),
  })
  await vi.waitFor(() => expect(site.has('tiny')).toEqual([owner]))
  rmSync(join(blobs, large))
  await expect(site.spread({ name: 'tiny' })).rejects.toMatchObject({ code: 'not_everywhere' })
})

/** Workers with an Ollama each, its models on a disk of its own; w1 has the label gpu=h200. */
async function siteOf(count: number) {
  const sockets = Array.from({ length: count }, () => workerSocket())
  const services = { worker: sockets.map(socket => ({ socket })) }
  const ollamas = await Promise.all(
    sockets.map(async (socket, i) => {
      const folder = tempFolder()
      const ollama = await startOllamaStandIn({ folder })
      onTestFinished(() => ollama.stop())
      ollama.library.set('tiny', { layers: [{ digest: `sha256:${'1'.repeat(64)}`, total: BYTES }] })
      await startWorker(
        {
          services,
          name: `w${i + 1}`,
          backend: 'ollama',
          labels: i === 0 ? { gpu: 'h200' } : {},
          ollama: { url: ollama.url, models: folder, startedElsewhere: true },
        },
        socket,
      )
      return { ollama, folder }
    }),
  )
  const calls = new Calls('llm', services)
  const workers = new Workers({ calls, log: silent })
  workers.start()
  onTestFinished(async () => {
    await workers.stop()
    await calls.close()
  })
  await vi.waitFor(() => expect(workers.states()).toHaveLength(count))
  return {
    ollamas,
    async spread(asked: Parameters<typeof spread>[0]): Promise<PullFrame[]> {
      const frames: PullFrame[] = []
      for await (const frame of spread(asked, { workers, calls, hop: ownHop() })) frames.push(frame)
      return frames
    },
    downloads: () =>
      ollamas.flatMap(({ ollama }) =>
        ollama.requests.filter(
          ({ path, body }) => path === '/api/pull' && (body.model ?? body.name) === 'tiny',
        ),
      ).length,
    has: (model: string) =>
      workers
        .states()
        .filter(({ state }) => state.models.some(({ name }) => name === `${model}:latest`))
        .map(({ state }) => state.name),
  }
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length))
    .sort()
