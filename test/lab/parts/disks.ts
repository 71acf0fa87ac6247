import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { attempt, output } from './commands.ts'
import { allowLoop } from './fence.ts'
import { folderOf, LABS } from './files.ts'
import type { Place } from './place.ts'
import { DISKS } from './recipe.ts'

/** Makes a blank disk file for a node; `size` in bytes or as 512M, 6G. Returns its name in the node: vdb, vdc ... */
export function newDisk(place: Place, size: string): string {
  const letters = 'bcdefghijklmnopqrstuvwxyz'
  const letter = [...letters].find(l => !existsSync(fileOf(place, `vd${l}`)))
  if (!letter) throw new Error(`${place.node} has as many disks as there are letters`)
  mkdirSync(place.disks, { recursive: true })
  const file = fileOf(place, `vd${letter}`)
  writeFileSync(file, '', { flag: 'wx', mode: 0o600 })
  truncateSync(file, bytes(size))
  return `vd${letter}`
}

export const disksOf = (place: Place) =>
  existsSync(place.disks) ? readdirSync(place.disks).map(file => basename(file, '.img')) : []

/**
 * Gives a node the loop device over its disk file: on its list of devices, in its /dev at the next boot, and at once when it runs
 * (`leader` is its first process). It gets the name that udev gives a guest's disk, too. Nothing but a loop device over a file of this
 * node can pass here.
 */
export function attach(place: Place, disk: string, leader?: number): void {
  const file = fileOf(place, disk)
  const minor = loops().find(loop => loop.file === file)?.minor ?? newLoop(file)
  if (loops().find(loop => loop.minor === minor)?.file !== file)
    throw new Error(`/dev/loop${minor} does not lie over ${file}`)
  allowLoop({ lab: place.lab, node: place.node, minor })
  const device = ['b', '7', String(minor)]
  const nextBoot = join(place.root, DISKS, disk)
  rmSync(nextBoot, { force: true })
  output('mknod', ['-m', '0660', nextBoot, ...device])
  linkById(join(place.root, DISKS), disk)
  if (leader === undefined) return
  const inNode = ['-t', String(leader), '-m', '-p']
  attempt('nsenter', [...inNode, 'rm', '-f', `/dev/${disk}`])
  output('nsenter', [...inNode, 'mknod', '-m', '0660', `/dev/${disk}`, ...device])
  output('nsenter', [...inNode, 'mkdir', '-p', `/dev/${BY_ID}`])
  output('nsenter', [...inNode, 'ln', '-sfn', `../../${disk}`, `/dev/${BY_ID}/virtio-lab-${disk}`])
}

const BY_ID = 'disk/by-id'

function linkById(folder: string, disk: string): void {
  const link = join(folder, BY_ID, `virtio-lab-${disk}`)
  mkdirSync(join(folder, BY_ID), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(`../../${disk}`, link)
}

/** Lets go of every loop device over a file of this lab. */
export function detachAll(lab: string): void {
  const ours = `${folderOf(lab)}/`
  if (!ours.startsWith(`${LABS}/`)) throw new Error(`no lab: ${lab}`)
  for (const loop of loops().filter(loop => loop.file.startsWith(ours)))
    output('losetup', ['--detach', `/dev/loop${loop.minor}`])
}

const fileOf = (place: Place, disk: string) => join(place.disks, `${disk}.img`)

function newLoop(file: string): number {
  const device = output('losetup', ['--find', '--show', file])
  const minor = /^\/dev\/loop(\d+)$/.exec(device)?.[1]
  if (minor === undefined) throw new Error(`losetup gave ${device}, which is no loop device`)
  return Number(minor)
}

function loops(): { minor: number; file: string }[] {
  return readdirSync('/sys/block').flatMap(name => {
    const backing = `/sys/block/${name}/loop/backing_file`
    if (!/^loop\d+$/.test(name) || !existsSync(backing)) return []
    const file = readFileSync(backing, 'utf8')
      .trim()
      .replace(/ \(deleted\)$/, '')
    return { minor: Number(name.slice(4)), file }
  })
}

function bytes(size: string): number {
  const [, number, unit] = /^(\d+)([KMGT]?)i?B?$/.exec(size) ?? []
  if (!number) throw new Error(`a size is a number with K, M, G or T, not ${size}`)
  return Number(number) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(unit!)
}
