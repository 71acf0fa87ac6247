import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'
import { renewals } from './tend/look.ts'

storiesOfTheLab()

const MINUTES = 60_000

describe.each([
  { suite: 'bookworm', other: 'trixie' },
  { suite: 'trixie', other: 'bookworm' },
] as const)('three bare machines of $suite and a worker of $other', ({ suite, other }) => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    const nodes = ['n1', 'n2', 'n3', 'jump', { name: 'gpu', suite: other }]
    lab = await openLab({ name: `cluster-ways-${suite}`, nodes, suite, flavour: 'bare' })
    lab.bastion('jump')
    ada = await operator(
      lab,
      clusterYaml(lab, {
        user: 'ops',
        nodes: ['n1', 'n2', 'n3', 'gpu'],
        roles: { gpu: 'worker' },
        ssh: `, bastion: "ops@${lab.node('jump').address}"`,
        more: 'components:\n  rabbitmq: {}\n  runtime: {}\n',
      }),
    )
    await programsAtHand(ada.folder)
  }, 15 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'become a cluster, by a user with sudo who gets in through a bastion alone',
    async () => {
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      for (const name of ['n1', 'n2', 'n3'])
        expect(up.stdout + up.stderr).toContain(`The gateway of ${name} answered a question`)
    },
    25 * MINUTES,
  )

  test(
    'have nothing to do the second time, and are well',
    async () => {
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
      const status = await ada.cli('cluster', 'status')
      expect(status, status.stdout).toMatchObject({ code: 0 })
    },
    3 * MINUTES,
  )

  test(
    'answer the operator, and the worker of the other release is who does',
    async () => {
      // From here on the whole network is reached again: gateways have no bastion.
      lab.bastion()
      const asked = await ada.cli('ask', '--json', 'how do I add a node?')
      expect(asked, asked.stderr).toMatchObject({ code: 0 })
      expect(JSON.parse(asked.stdout)).toMatchObject({ worker: 'gpu' })
      const task = await ada.cli('task', 'submit', 'how do I add a node?', '--wait')
      expect(task, task.stderr).toMatchObject({ code: 0 })
    },
    3 * MINUTES,
  )

  test(
    'renew their certificates by themselves, and then there is nothing to do',
    async () => {
      for (const name of ['n1', 'n2', 'n3', 'gpu']) {
        expect(await lab.node(name).run('systemctl is-active llmagentos-tend.timer')).toBe('active\n')
        const did = await renewals(lab.node(name))
        expect(did.length).toBeGreaterThan(0)
        for (const one of did) expect(one).toMatchObject({ did: 'renewed' })
      }
      const asked = await ada.cli('ask', 'how do I add a node?')
      expect(asked, asked.stderr).toMatchObject({ code: 0 })
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    },
    5 * MINUTES,
  )
})
