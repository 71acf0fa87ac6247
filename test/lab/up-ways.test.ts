import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000

describe('cluster up on machines of two suites', () => {
  let lab: Lab

  beforeAll(async () => {
    if (lacks) return
    const nodes = ['ctl', 'jump', { name: 'gpu', suite: 'bookworm' as const }]
    lab = await openLab({ name: 'up-ways', nodes, suite: 'trixie' })
  }, 15 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  const wanted = (o: { label: string; ssh?: string }) =>
    clusterYaml(lab, {
      user: 'ops',
      nodes: ['ctl', 'gpu'],
      roles: { gpu: 'worker' },
      extra: { ctl: `, labels: {run: ${o.label}}` },
      ssh: o.ssh,
    })

  test(
    'comes as a user with sudo, through a bastion, which is all that can be reached',
    async () => {
      lab.bastion('jump')
      const jump = `, bastion: "ops@${lab.node('jump').address}"`
      const ada = await operator(lab, wanted({ label: 'jump', ssh: jump }))
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
      lab.bastion()
    },
    5 * MINUTES,
  )

  test(
    'stops after the running steps at Ctrl-C, with 130, and the next run goes on from there',
    async () => {
      const ada = await operator(lab, wanted({ label: 'stop' }))
      const drift =
        'printf "\\n# by hand\\n" >> /etc/hosts; sed -i "/begin llmagentos/,/end llmagentos/d" /etc/hosts'
      for (const name of ['ctl', 'gpu']) await lab.node(name).run(drift)
      const { child, events, ended } = ada.start('cluster', 'up', '--yes', '--json', '--replace-applied', '1')
      for await (const { event } of events) {
        if (event !== 'begin') continue
        child.kill('SIGINT')
        break
      }
      expect((await ended).code).toBe(130)
      const { stdout } = await ada.cli('cluster', 'audit', '--json')
      const { lines } = JSON.parse(stdout) as { lines: { outcome: string; run: string }[] }
      const last = lines.filter(line => line.run === lines.at(-1)!.run).map(line => line.outcome)
      expect(last.filter(outcome => outcome === 'begun')).toHaveLength(last.length / 2)
      const again = ['cluster', 'up', '--yes', '--lock-wait', '90s', '--replace-applied', '1'] as const
      expect(await ada.cli(...again)).toMatchObject({ code: 0 })
    },
    5 * MINUTES,
  )

  test(
    'puts back what was changed by hand of its own, and nothing else',
    async () => {
      const ada = await operator(lab, wanted({ label: 'stop' }))
      await lab.node('gpu').run('echo "192.0.2.1 mine" >> /etc/hosts')
      await lab.node('gpu').run('sed -i "s/ctl.lab.internal/nobody.lab.internal/" /etc/hosts')
      const plan = await ada.cli('cluster', 'plan')
      expect(plan.stdout).toMatch(/gpu\n +~ .*\/etc\/hosts/)
      expect(await ada.cli('cluster', 'up', '--yes')).toMatchObject({ code: 0 })
      const hosts = await lab.node('gpu').run('cat /etc/hosts')
      expect(hosts).toContain('192.0.2.1 mine')
      expect(hosts).toContain('ctl.lab.internal')
    },
    5 * MINUTES,
  )
})
