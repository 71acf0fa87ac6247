import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { homeIn } from '../../helpers/cli.ts'
import { program } from '../../runtime/services/data/program.ts'

export interface Chat {
  /** Date.now() when it was asked. */
  at: number
  ms: number
  failed?: string
}

/** Chats in a process of its own, ahead of what this machine does beside: who asks sits elsewhere, and does not share its processors. */
export async function startChatter(folder: string) {
  const chats: Chat[] = []
  const child = spawn(process.execPath, [await program('chatter')], {
    env: { PATH: process.env['PATH'], ...homeIn(folder) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  setPriority(child.pid!, -10)
  createInterface({ input: child.stdout! }).on('line', line => chats.push(JSON.parse(line) as Chat))
  return {
    between: (from: number, to: number) => chats.filter(({ at }) => at >= from && at < to),
    async stop() {
      child.stdin!.end()
      await once(child, 'close')
    },
  }
}
