import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { EXIT, Failure } from '../../../src/errors.ts'
import { powerOn } from './boot.ts'
import { type Network, openNetwork } from './bridge.ts'
import { attempt } from './commands.ts'
import { exclusive } from './exclusive.ts'
import { claim, LABS, type Process, processOf, type Record, recordOf, writeRecord } from './files.ts'
import { furnish, hashOf, makeKeys } from './furnish.ts'
import { image, imageFolder } from './image.ts'
import { mountRoot, placeOf } from './place.ts'
import type { Flavour, Suite } from './recipe.ts'
import { removeLab, removeLeftovers } from './remove.ts'

/** `nodes` is their number, then they are named n1, n2 ..., or their names; a node may have another suite than its lab. */
export interface Wanted {
  /** Left out: one that no other lab has. */
  name?: string
  nodes: number | (string | WantedNode)[]
  suite?: Suite
  flavour?: Flavour
}

interface WantedNode {
  name: string
  suite?: Suite
}

// More boots at a time only wait for each other.
const BOOTS_AT_A_TIME = 6

/** Makes a lab, or gives one that was made to stay the nodes and the power that it lacks. */
export async function open(wanted: Wanted, o: { stays: boolean }): Promise<Record> {
  await removeLeftovers()
  const record = (o.stays ? standing(wanted) : undefined) ?? (await found(wanted, o))
  const nodes = typeof wanted.nodes === 'number' ? numbered(wanted.nodes) : wanted.nodes.map(named)
  try {
    if (!existsSync(record.image)) await image(record)
    makeKeys(record.name)
    const network = await openNetwork(record.name)
    await addNodes(record, network, nodes)
    await boot(record, network)
    return record
  } catch (thrown) {
    if (!o.stays) await removeLab(record.name)
    throw thrown
  }
}

/** Mounts and boots the nodes of a lab that do not run. */
export async function boot(record: Record, network: Network): Promise<void> {
  const waiting = [...record.nodes]
  const lane = async () => {
    for (let node = waiting.shift(); node; node = waiting.shift()) {
      const place = placeOf(record, node)
      mountRoot(place)
      await powerOn(place, network)
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: BOOTS_AT_A_TIME }, lane))
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason
}

function standing(wanted: Wanted): Record | undefined {
  const record = wanted.name === undefined ? undefined : recordOf(wanted.name)
  if (!record || record.owner) return undefined
  for (const key of ['suite', 'flavour'] as const)
    if (wanted[key] && wanted[key] !== record[key])
      throw new Failure(`The lab ${record.name} is ${record[key]}, not ${wanted[key]}.`, {
        exit: EXIT.usage,
        next: `Take it down first (npm run lab -- down --name ${record.name}), or give the new one another --name.`,
      })
  return record
}

async function found(wanted: Wanted, o: { stays: boolean }): Promise<Record> {
  const name = wanted.name ?? `lab-${process.pid}-${++unnamed}`
  if (!NAME.test(name)) throw new Failure(`${name} is no name for a lab.`, { exit: EXIT.usage })
  const kind = { suite: wanted.suite ?? 'trixie', flavour: wanted.flavour ?? 'ready' }
  const record: Record = {
    name,
    ...kind,
    image: imageFolder(kind),
    owner: o.stays ? null : (processOf(process.pid) as Process),
    run: runOfStories(),
    password: randomBytes(9).toString('base64url'),
    nodes: [],
  }
  if (!(await exclusive(LABS, () => claim(record)))) {
    const owner = recordOf(name)?.owner
    throw new Failure(`There is a lab ${name} already.`, {
      exit: EXIT.locked,
      why: owner ? `It belongs to process ${owner.pid}.` : 'It was made to stay.',
    })
  }
  return record
}

/** A node is in the record once it is whole; what a killed process left of one is thrown away. */
async function addNodes(record: Record, network: Network, wanted: WantedNode[]): Promise<void> {
  const missing = wanted.filter(({ name }) => !record.nodes.some(node => node.name === name))
  const passwordHash = missing.length > 0 ? hashOf(record.password, record.image) : ''
  for (const { name, suite } of missing) {
    if (!NAME.test(name)) throw new Failure(`${name} is no name for a node.`, { exit: EXIT.usage })
    const number = Math.max(0, ...record.nodes.map(other => other.number)) + 1
    const node: Record['nodes'][number] = { name, number, ...(await other(record, suite)) }
    const place = placeOf(record, node)
    attempt('umount', [place.root])
    rmSync(place.folder, { recursive: true, force: true })
    mountRoot(place)
    furnish({ place, address: network.address(number), gateway: network.gateway, passwordHash })
    record.nodes.push(node)
    writeRecord(record)
  }
}

/** A suite that is not the lab's, and its image, which a record must name before it is made. */
async function other(record: Record, suite: Suite | undefined): Promise<{ suite?: Suite; image?: string }> {
  if (!suite || suite === record.suite) return {}
  const kind = { suite, flavour: record.flavour }
  writeRecord({ ...record, next: imageFolder(kind) })
  return { suite, image: await image(kind) }
}

/** The process that `npm run test:lab` starts everything from. */
function runOfStories(): Process | undefined {
  const pid = Number(process.env['LLMAGENTOS_LAB_RUN'])
  return Number.isInteger(pid) && pid > 1 ? processOf(pid) : undefined
}

const NAME = /^[a-z][a-z0-9-]{0,30}$/
let unnamed = 0

const named = (node: string | WantedNode): WantedNode => (typeof node === 'string' ? { name: node } : node)
const numbered = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `n${i + 1}` }))
