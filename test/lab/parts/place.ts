import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, output } from './commands.ts'
import { folderOf, type Record } from './files.ts'

/** Where one node of a lab lies on this machine. */
export interface Place {
  lab: string
  node: string
  number: number
  /** A virtual machine with a kernel of its own; otherwise a container. */
  guest: boolean
  image: string
  folder: string
  /** Its root file system, as the node sees it: the image below, the node's own changes above. */
  root: string
  disks: string
  console: string
}

export function placeOf(record: Record, node: Record['nodes'][number]): Place {
  const folder = join(folderOf(record.name), 'nodes', node.name)
  return {
    lab: record.name,
    node: node.name,
    number: node.number,
    guest: record.flavour === 'guest',
    image: node.image ?? record.image,
    folder,
    root: join(folder, 'root'),
    disks: join(folder, 'disks'),
    console: join(folder, 'console.log'),
  }
}

/** Mounts a node's root over its image unless it is mounted. */
export function mountRoot(place: Place): void {
  if (mounts().includes(place.root)) return
  const [upper, work] = ['upper', 'work'].map(name => join(place.folder, name))
  for (const folder of [upper!, work!, place.root]) mkdirSync(folder, { recursive: true })
  const options = `lowerdir=${place.image},upperdir=${upper},workdir=${work}`
  output('mount', ['-t', 'overlay', 'llmagentos-lab', '-o', options, place.root])
}

/** Unmounts whatever is mounted in a folder of ours, and removes the folder. Removes no file while something still is mounted there. */
export function removeFolder(folder: string): void {
  const inside = mounts().filter(mount => mount.startsWith(`${folder}/`))
  for (const mount of inside.reverse()) if (!attempt('umount', [mount])) output('umount', ['--lazy', mount])
  if (mounts().some(mount => mount.startsWith(`${folder}/`)))
    throw new Error(`something is still mounted in ${folder}: its files are not removed`)
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

const mounts = () =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap(line => line.split(' ')[1] ?? [])
