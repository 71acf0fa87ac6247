import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/assets.ts'
import { Site } from '../lab/base/site.ts'
import { type Lab, type LabNode, openLab } from '../lab/lab.ts'

let lab: Lab
let site: Site
let guest: LabNode
let lacks: string

// A machine whose clock is its own, so that there is something to keep.
beforeAll(async () => {
  const ask =
    "const { lacks } = await import('./scripts/lab-needs.js'); process.stdout.write(lacks({ guest: true }) ?? '')"
  lacks = execFileSync(process.execPath, ['--input-type=module', '-e', ask], {
    cwd: packageRoot(),
    encoding: 'utf8',
  })
  if (lacks) return
  lab = await openLab({ name: 'time', flavour: 'guest', nodes: ['vm'] })
  site = new Site(lab)
  guest = lab.node('vm')
}, 600_000)
beforeEach(ctx => ctx.skip(lacks !== '', lacks))
afterAll(async () => {
  await site?.close()
  await lab?.close()
})

const time = (server: string) => ({ settings: `site: {time: [${server}]}` })

test('a machine without a time service gets chrony with the servers of the site', {
  timeout: 600_000,
}, async () => {
  await guest.run('apt-get -qq -y purge chrony && rm -rf /etc/chrony', { deadlineMs: 120_000 })
  const { failed, did, found } = await site.up(time('192.0.2.1'))
  expect(failed).toEqual([])
  expect(did.map(step => step.says)).toContain('install chrony: keeps the clock')
  expect(await guest.run('chronyc -n sources')).toContain('192.0.2.1')
  expect(found.map(({ level, says }) => `${level} ${says}`)).toContain(
    'warn chrony runs, and has not found the time.',
  )
  expect(await site.plan(time('192.0.2.1'))).toEqual([])
})

test('other servers restart it, and a unit edited by hand too', { timeout: 600_000 }, async () => {
  const { failed } = await site.up(time('192.0.2.2'))
  expect(failed).toEqual([])
  const sources = await guest.run('chronyc -n sources')
  expect(sources).toContain('192.0.2.2')
  expect(sources).not.toContain('192.0.2.1')
  await guest.run('systemctl stop chrony')
  expect((await site.plan(time('192.0.2.2'))).map(step => step.says)).toEqual([
    'start chrony.service: it is inactive (keeps the clock)',
  ])
  await site.up(time('192.0.2.2'))
  expect(await site.plan(time('192.0.2.2'))).toEqual([])
})

test('once it found the time it is told', { timeout: 600_000 }, async () => {
  await guest.run('echo "local stratum 8" >/etc/chrony/conf.d/story.conf && systemctl restart chrony')
  await expect.poll(() => guest.run('chronyc -n -c tracking'), { timeout: 60_000 }).toContain('Normal')
  const { did, found } = await site.up(time('192.0.2.2'))
  expect(did).toEqual([])
  expect(found.map(({ level, says }) => `${level} ${says}`)).toContain('ok chrony keeps its clock.')
})
