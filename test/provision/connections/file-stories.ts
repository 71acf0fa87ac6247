import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'vitest'
import type { Connection } from '../../../src/provision/connections/connection.ts'
import { fileSource } from '../../../src/provision/connections/files.ts'
import { Secret } from '../../../src/secret.ts'

export type Story = (title: string, run: () => Promise<void>) => void

/** `here` and `there` are empty folders, of this machine and of the node. */
export function fileStories(
  story: Story,
  at: () => { on: Connection; root: boolean; here: string; there: string },
): void {
  story('are absent, or come back byte by byte', async () => {
    const { on, root, there } = at()
    expect(await on.read(`${there}/none`, { root })).toBeUndefined()
    const bytes = randomBytes(300_000)
    await on.write(`${there}/a`, bytes, { mode: 0o640, root })
    expect((await on.read(`${there}/a`, { root }))?.equals(bytes)).toBe(true)
  })

  story('get their mode and replace the old ones', async () => {
    const { on, root, there } = at()
    await on.write(`${there}/b c'd`, 'old', { mode: 0o644, root })
    await on.write(`${there}/b c'd`, new Secret('new'), { mode: 0o600, root })
    const { stdout } = await on.exec(['stat', '-c', '%a %s', `${there}/b c'd`], {
      deadlineMs: 10_000,
      root,
    })
    expect(stdout).toBe('600 3\n')
    expect(String(await on.read(`${there}/b c'd`, { root }))).toBe('new')
  })

  story('that cannot be written leave nothing there, and say why', async () => {
    const { on, root, there } = at()
    await expect(on.write(`${there}/none/x`, 'x', { mode: 0o600, root })).rejects.toThrow(
      /Writing .*none\/x on .* failed/,
    )
    await expect(on.write(`${there}/x`, 'x', { mode: 0o600, root, sha256: '0'.repeat(64) })).rejects.toThrow(
      /failed/,
    )
    await expect(
      on.write(`${there}/x`, 'x', { mode: 0o600, root: root, owner: 'nobody-knows' }),
    ).rejects.toMatchObject({ why: expect.stringMatching(/invalid/) })
    const { stdout } = await on.exec(['ls', '-A', there], { deadlineMs: 10_000, root })
    expect(stdout).not.toMatch(/x|llmagentos/)
  })

  story('of many megabytes arrive, and an upload goes on from what is there', async () => {
    const { on, root, here, there } = at()
    const file = join(here, 'big')
    const bytes = randomBytes(24 * 1024 * 1024)
    writeFileSync(file, bytes)
    const source = await fileSource(file)
    const temp = `${there}/.big.llmagentos-${source.sha256.slice(0, 16)}`
    await on.exec(['sh', '-c', 'cat >"$1"', 'sh', temp], {
      stdin: bytes.subarray(0, 20 * 1024 * 1024),
      deadlineMs: 30_000,
      root,
    })
    const from: number[] = []
    const counting = {
      ...source,
      from(offset: number) {
        from.push(offset)
        return source.from(offset)
      },
    }
    await on.write(`${there}/big`, counting, { mode: 0o644, root })
    expect(from.at(-1)).toBe(20 * 1024 * 1024)
    const { stdout } = await on.exec(['sha256sum', `${there}/big`], { deadlineMs: 30_000, root })
    expect(stdout).toContain(source.sha256)
  })

  story('of many megabytes begin anew over something else', async () => {
    const { on, root, here, there } = at()
    const file = join(here, 'other')
    writeFileSync(file, randomBytes(1024 * 1024))
    const source = await fileSource(file)
    const temp = `${there}/.other.llmagentos-${source.sha256.slice(0, 16)}`
    await on.exec(['sh', '-c', 'echo something else >"$1"', 'sh', temp], { deadlineMs: 10_000, root })
    await on.write(`${there}/other`, source, { mode: 0o644, root })
    const { stdout } = await on.exec(['sha256sum', `${there}/other`], { deadlineMs: 30_000, root })
    expect(stdout).toContain(source.sha256)
  })

  story('of many megabytes that are damaged on the way are not put in place', async () => {
    const { on, root, there } = at()
    const wrong = {
      bytes: 5,
      sha256: '1'.repeat(64),
      from: (offset: number) => Readable.from([Buffer.from('hello').subarray(offset)]),
    }
    await expect(on.write(`${there}/wrong`, wrong, { mode: 0o644, root })).rejects.toMatchObject({
      why: expect.stringContaining('sha256'),
    })
    expect(await on.read(`${there}/wrong`, { root })).toBeUndefined()
  })
}
