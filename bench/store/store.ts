import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getObject, putObject } from '../../src/contracts/objects.ts'
import type { S3Config, StoreConfig } from '../../src/contracts/s3.ts'
import { clientOf } from '../../src/runtime/services/data/store/s3/client.ts'
import { startRgw } from '../../test/lab/ceph/rgw.ts'
import { openLab, SUITES, type Suite } from '../../test/lab/lab.ts'
import { median, two } from '../figures.ts'
import { startServices } from './services.ts'

const OUT = 'bench/results/store.json'
const KIB = 1024
const MIB = 1024 * KIB
const PIECE = 64 * KIB

/** `most`: our latency over straight S3's; `least`: our throughput over its. Of one run, so that the machine's load hits both. */
const SIZES = [
  { name: '1 KiB', bytes: KIB, times: 30, most: 1.3 },
  { name: '1 MiB', bytes: MIB, times: 30, most: 1.3 },
  { name: '100 MiB', bytes: 100 * MIB, times: 3, least: 0.8 },
]
const STREAMED = 1024 * MIB
/** While a GiB streams, after 100 MiB objects did: more than garbage that waits for its collection. */
const GROWTH_MIB = 64

type Services = Awaited<ReturnType<typeof startServices>>
interface Figure {
  act: 'PUT' | 'GET'
  size: string
  bytes: number
  /** Medians, ms. */
  ours: number
  straight: number
}

export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      suite: { type: 'string', default: 'trixie' },
      /** A file with `{"s3": ...}`, as `npm run lab -- rgw` prints it, instead of a lab of its own. */
      on: { type: 'string' },
      json: { type: 'string', default: OUT },
    },
  })
  if (values.on) {
    const { s3 } = JSON.parse(readFileSync(values.on, 'utf8')) as Extract<StoreConfig, { s3: unknown }>
    return measured(s3, values.json)
  }
  const suite = SUITES.find(name => name === values.suite) as Suite
  const lab = await openLab({ suite, nodes: 1 })
  try {
    const ceph = await startRgw(lab)
    return await measured(await ceph.config({ gateways: ['a'] }), values.json)
  } finally {
    await lab.close()
  }
}

async function measured(s3: S3Config, file: string): Promise<number> {
  const services = await startServices(s3)
  try {
    const figures: Figure[] = []
    for (const size of SIZES) figures.push(...(await compared(services, s3, size)))
    const met = figures.map(told)
    const memory = await streamed(services)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${JSON.stringify({ load: loadavg()[0], figures, memory }, undefined, 2)}\n`)
    return [...met, toldMemory(memory)].every(Boolean) ? 0 : 1
  } finally {
    await services.stop()
  }
}

/** One of each in turn, so that what else the machine does hits both. */
async function compared(services: Services, s3: S3Config, size: (typeof SIZES)[number]): Promise<Figure[]> {
  const client = clientOf(s3, s3.endpoints[0]!)
  const Bucket = s3.buckets.data
  const body = randomBytes(size.bytes)
  const times = {
    ours: { PUT: [] as number[], GET: [] as number[] },
    straight: { PUT: [] as number[], GET: [] as number[] },
  }
  for (let i = 0; i < size.times; i++) {
    const Key = `bench/${randomUUID()}`
    const straightPut = async () =>
      void (await client.send(new PutObjectCommand({ Bucket, Key, Body: body })))
    const straightGet = async () => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
      return drained(Body as Readable)
    }
    times.straight.PUT.push(await timed(straightPut))
    const hop = await services.hop()
    const name = randomUUID()
    times.ours.PUT.push(await timed(() => put(services, hop, name, body)))
    times.straight.GET.push(await timed(straightGet, size.bytes))
    const again = await services.hop()
    times.ours.GET.push(await timed(() => get(services, again, name), size.bytes))
  }
  client.destroy()
  return (['PUT', 'GET'] as const).map(act => ({
    act,
    size: size.name,
    bytes: size.bytes,
    ours: median(times.ours[act]),
    straight: median(times.straight[act]),
  }))
}

async function streamed(services: Services) {
  const before = services.resident()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, services.resident())
  }, 100)
  try {
    const piece = randomBytes(PIECE)
    const many = Readable.from(repeated(piece, STREAMED / PIECE))
    const name = randomUUID()
    await put(services, await services.hop(), name, many)
    // A token of its own: the first may have run out while a GiB was stored.
    const bytes = await get(services, await services.hop(), name)
    if (bytes !== STREAMED) throw new Error(`of ${STREAMED} bytes ${bytes} came back`)
  } finally {
    clearInterval(watch)
  }
  return { before, most }
}

type Hop = Awaited<ReturnType<Services['hop']>>

async function put(services: Services, hop: Hop, name: string, upload: Buffer | Readable): Promise<void> {
  await services.calls.call(putObject, hop, { params: { '*': name }, upload })
}

async function get(services: Services, hop: Hop, name: string): Promise<number> {
  const reply = await services.calls.raw(getObject, hop, { params: { '*': name } })
  if (reply.status !== 200) throw new Error(`GET answered ${reply.status}: ${await reply.body.text()}`)
  return drained(reply.body)
}

async function drained(body: Readable): Promise<number> {
  let bytes = 0
  for await (const piece of body as AsyncIterable<Buffer>) bytes += piece.length
  return bytes
}

async function timed(act: () => Promise<number | void>, bytes?: number): Promise<number> {
  const began = performance.now()
  const read = await act()
  if (bytes !== undefined && read !== bytes) throw new Error(`of ${bytes} bytes ${read} came back`)
  return performance.now() - began
}

function* repeated(piece: Buffer, times: number): Generator<Buffer> {
  for (let i = 0; i < times; i++) yield piece
}

function told({ act, size, bytes, ours, straight }: Figure): boolean {
  const { most, least } = SIZES.find(s => s.name === size)!
  const ratio = least ? straight / ours : ours / straight
  const met = most ? ratio <= most : ratio >= least!
  const shown = (ms: number) => (least ? `${two(bytes / MIB / (ms / 1000))} MiB/s` : `${two(ms)} ms`)
  const target = most ? `at most ${most}` : `at least ${least}`
  say(
    `${act} ${size}: ours ${shown(ours)}, straight ${shown(straight)}: ${two(ratio)}, ${target}: ${met ? 'met' : 'MISSED'}`,
  )
  return met
}

function toldMemory({ before, most }: { before: number; most: number }): boolean {
  const met = most - before <= GROWTH_MIB
  say(
    `1 GiB in and out: ${Math.round(before)} MiB resident before, at most ${Math.round(most)}; at most ${GROWTH_MIB} more: ${met ? 'met' : 'MISSED'}`,
  )
  return met
}

const say = (line: string) => process.stdout.write(`${line}\n`)
