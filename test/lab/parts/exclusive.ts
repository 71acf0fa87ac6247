import { once } from 'node:events'
import { createServer } from 'node:net'
import { codeOf } from '../../../src/errors.ts'
import { waitFor } from '../../../src/retry.ts'

/**
 * Runs `work` while no other process of this machine, nor another call here, runs work under the same name. The lock is a socket name
 * outside of the file system: the kernel gives it back in the moment in which its process is gone. Not to be nested under one name.
 */
export async function exclusive<T>(name: string, work: () => Promise<T> | T): Promise<T> {
  const lock = await waitFor(
    { says: `the lock ${name} of the labs`, deadlineMs: 600_000, everyMs: 25 },
    async () => {
      const server = createServer()
      server.listen(`\0llmagentos-lab/${name}`)
      try {
        await once(server, 'listening')
        return server
      } catch (thrown) {
        if (codeOf(thrown) === 'EADDRINUSE') return undefined
        throw thrown
      }
    },
  )
  try {
    return await work()
  } finally {
    lock.close()
  }
}
