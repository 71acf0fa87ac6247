import { hostname, userInfo } from 'node:os'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000
/** Bounded: a bring-up has a few dozen steps on a node. */
const MOST_RUNS = 200

describe('cluster up on three machines', () => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'up', nodes: 3 })
    ada = await operator(lab, clusterYaml(lab))
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test('shows what it would do, and does nothing without a yes', async () => {
    const before = await held(lab)
    expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 10, stderr: '' })
    const refused = await ada.cli('cluster', 'up')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('There is something to change, and nobody to ask.')
    expect(await held(lab)).toEqual(before)
  })

  test(
    'gets there though the CLI is killed (-9) after its first completed step, again and again',
    async () => {
      const done: string[] = []
      for (let run = 1; ; run++) {
        expect(run, done.join('\n')).toBeLessThan(MOST_RUNS)
        const { child, events, ended } = ada.start('cluster', 'up', '--yes', '--json', '--lock-wait', '90s')
        for await (const { event, step } of events) {
          if (event !== 'done' || !step) continue
          done.push(`${step.node} ${step.says}`)
          child.kill('SIGKILL')
          break
        }
        const { code, stderr } = await ended
        if (code === 0) break
        expect(code, stderr).toBeNull()
      }
      expect(done.length).toBeGreaterThan(0)
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    },
    15 * MINUTES,
  )

  test('changes nothing when nothing is to be changed: no step, no write, one login per node', async () => {
    const [before, logins] = [await held(lab), await loginsOf(lab)]
    const again = await ada.cli('cluster', 'up')
    expect(again).toMatchObject({ code: 0 })
    expect(again.stdout).toContain('Nothing was changed.')
    expect(await held(lab)).toEqual(before)
    expect(await loginsOf(lab)).toEqual(logins.map(n => n + 1))
  })

  test(
    'lets one of 20 that come at once change the cluster, and tells the others who that is',
    async () => {
      await free(ada)
      ada.write(clusterYaml(lab, { extra: { n1: ', labels: {rack: r1}' } }))
      const runs = Array.from({ length: 20 }, () => ada.start('cluster', 'up', '--yes', '--json'))
      const ends = await Promise.all(runs.map(run => run.ended))
      const codes = ends.map(({ code }) => code)
      const unlike = ends.filter(({ code }) => code !== 0 && code !== 7)
      expect(unlike, String(codes)).toEqual([])
      const changed = ends.filter(({ stdout }) => /"event":"done","changed":[1-9]/.test(stdout))
      expect(changed).toHaveLength(1)
      for (const { code, stderr } of ends)
        if (code === 7) expect(stderr).toMatch(/@.* holds the lock of the cluster/)
    },
    5 * MINUTES,
  )

  test('refuses a file that lost or renamed a member, and one that is not based on the last', async () => {
    const lost = await operator(lab, clusterYaml(lab, { nodes: ['n1'] }))
    expect(await lost.cli('cluster', 'up', '--yes')).toMatchObject({ code: 9 })
    const now = clusterYaml(lab, { extra: { n1: ', labels: {rack: r1}' } })
    const eve = await operator(lab, now)
    eve.write(now.replace('name: n2', 'name: x2'))
    const renamed = await eve.cli('cluster', 'up', '--yes')
    expect(renamed).toMatchObject({ code: 9, stderr: expect.stringContaining('n2 is now called x2') })
    // In another order the same nodes are the same cluster, also from an operator who never saw the last file.
    const nodes = now.match(/^ {2}- .*\n/gm)!
    eve.write(now.replace(nodes.join(''), nodes.toReversed().join('')))
    expect(await eve.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    const bob = await operator(lab, clusterYaml(lab, { extra: { n2: ', labels: {rack: r9}' } }))
    const refused = await bob.cli('cluster', 'up', '--yes')
    expect(refused).toMatchObject({ code: 9 })
    const number = /--replace-applied (\d+)/.exec(refused.stderr)![1]!
    expect(await bob.cli('cluster', 'up', '--yes', '--replace-applied', number)).toMatchObject({ code: 0 })
    expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 9 })
    ada.write(clusterYaml(lab, { extra: { n2: ', labels: {rack: r9}' } }))
    expect(await ada.cli('cluster', 'up')).toMatchObject({ code: 0 })
  })

  test(
    'goes on without a worker that is down, and names it; without a control node it changes nothing',
    async () => {
      const roles = { n2: 'worker', n3: 'worker' }
      const wanted = (extra?: Record<string, string>) => clusterYaml(lab, { name: 'lab', roles, extra })
      ada.write(wanted())
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
      await lab.node('n3').kill()
      const partly = await ada.cli('cluster', 'up', '--yes')
      expect(partly).toMatchObject({ code: 5 })
      expect(partly.stdout).toMatch(/SKIPPED n3: /)
      ada.write(wanted({ n3: ', state: offline' }))
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
      await lab.node('n3').start()
      await lab.node('n1').kill()
      ada.write(wanted())
      const refused = await ada.cli('cluster', 'up', '--yes')
      expect(refused).toMatchObject({ code: 4 })
      expect(refused.stderr).toContain('n1 does not answer, and nothing was changed.')
      await lab.node('n1').start()
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
    },
    5 * MINUTES,
  )

  test(
    'goes on where the control node lost the number of its lock, which the other nodes still know',
    async () => {
      const roles = { n2: 'worker', n3: 'worker' }
      await lab.node('n1').run('rm -r /var/lib/llmagentos/lock /var/lib/llmagentos/fence')
      ada.write(clusterYaml(lab, { name: 'lab', roles, extra: { n2: ', labels: {rack: r2}' } }))
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stderr).toMatchObject({ code: 0 })
      const fences = await Promise.all(lab.nodes.map(node => node.run('cat /var/lib/llmagentos/fence')))
      expect(new Set(fences).size, fences.join()).toBe(1)
    },
    2 * MINUTES,
  )

  test('tells in its audit what was done, also what a killed run had begun', async () => {
    const { code, stdout } = await ada.cli('cluster', 'audit', '--limit', '1000', '--json')
    expect(code).toBe(0)
    const { lines } = JSON.parse(stdout) as {
      lines: { outcome: string; node: string; says: string; who: string }[]
    }
    for (const { who } of lines) expect(who).toBe(`${userInfo().username}@${hostname()}`)
    const begun = lines.filter(line => line.outcome === 'begun').map(line => `${line.node} ${line.says}`)
    const ended = lines.filter(line => line.outcome !== 'begun').map(line => `${line.node} ${line.says}`)
    expect(begun.length).toBeGreaterThan(3)
    expect(ended.toSorted()).toEqual(begun.toSorted())
  })
})

/** What a killed run held goes by itself, within a minute. */
const free = (who: Operator) =>
  vi.waitFor(async () => expect((await who.cli('cluster', 'lock', 'status')).stdout).toContain('Nobody'), {
    timeout: MINUTES,
    interval: 1_000,
  })

const held = (lab: Lab) =>
  Promise.all(lab.nodes.map(node => node.files(['/etc', '/opt', '/var/lib/llmagentos'])))
const loginsOf = (lab: Lab) => Promise.all(lab.nodes.map(node => node.logins()))
