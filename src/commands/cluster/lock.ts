import { EXIT, Failure } from '../../errors.ts'
import type { Command } from '../command.ts'
import { atTerminal, fileFlag, hostKeyFlag, type MachineFlags, withMachines } from '../machines/index.ts'

interface Flags extends MachineFlags {
  yes?: boolean
}

export const lock: Command<Flags> = {
  name: 'lock',
  summary: 'say who is changing the cluster, or take the lock away from them',
  arguments: [{ name: 'what', says: '`status`, or `release`', choices: ['status', 'release'] }],
  options: [fileFlag, hostKeyFlag, { flag: '-y, --yes', says: 'release it without asking' }],
  example: 'llmagentos cluster lock status',
  more: 'A run that ended without a word, whatever ended it, loses its lock by itself within a minute. `release` is for one that still lives: it starts no more steps.',
  run: ({ args, flags, json, io }) =>
    withMachines({ flags, io, choose: ({ nodes }) => nodes.filter(isControl) }, async ({ cluster, each }) => {
      const { lockHolder, releaseLock } = await import('../../provision/index.ts')
      const found = await each(async connection => connection)
      const control = found.flatMap(one => (one.failure ? [] : [one.value]))
      if (control.length === 0) throw found.flatMap(one => one.failure ?? [])[0]!
      const holder = await lockHolder(control)
      const release = args[0] === 'release' && holder !== undefined
      if (release && !flags.yes) {
        if (json || !atTerminal(io))
          throw new Failure(`${holder.who} is changing ${cluster.name}, and there is nobody to ask.`, {
            exit: EXIT.usage,
            next: 'Add --yes when you are sure.',
          })
        const { agree } = await import('../views/prompt.ts')
        if (!(await agree(`Take the lock away from ${holder.who} (${holder.doing})?`, io))) return EXIT.ok
      }
      const released = release ? await releaseLock(control, { signal: io.signal }) : undefined
      if (json) io.print(JSON.stringify({ holder: holder ?? null, released: released !== undefined }))
      else if (!holder) io.print(`Nobody is changing ${cluster.name}.`)
      else if (released) io.print(`The lock of ${holder.who} was taken away. They start no more steps.`)
      else io.print(`${holder.who} has held the lock since ${holder.since}: ${holder.doing}`)
      return EXIT.ok
    }),
}

const isControl = (node: { roles: string[]; state: string }) =>
  node.roles.includes('control') && node.state !== 'offline'
