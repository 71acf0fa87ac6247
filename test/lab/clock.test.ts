import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000

describe('a machine with a clock of its own, which is wrong by a minute', () => {
  let lab: Lab
  let ada: Operator
  let node: LabNode

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ nodes: 1, flavour: 'guest' })
    node = lab.node('n1')
    ada = await operator(lab, clusterYaml(lab))
    await node.run('systemctl stop systemd-timesyncd chrony 2>/dev/null || :; date -s "+60 seconds"')
  }, 20 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'is named by a check and by up, which changes nothing',
    async () => {
      const says = /Its clock is (5[5-9]|6\d) s ahead of this machine\./
      const check = await ada.cli('cluster', 'check')
      expect(check, check.stderr).toMatchObject({ code: 3, stdout: expect.stringMatching(says) })
      const before = await node.files()
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up).toMatchObject({ code: 3, stderr: expect.stringMatching(says) })
      expect(up.stderr).toContain('nothing was changed')
      expect(await node.files()).toEqual(before)
    },
    5 * MINUTES,
  )

  test(
    'is brought up once it is right, with something that keeps it so',
    async () => {
      await node.run('date -s "-60 seconds"')
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
      expect(await node.run('systemctl is-active chrony')).toBe('active\n')
    },
    15 * MINUTES,
  )
})
