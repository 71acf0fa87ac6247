import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

describe.each(SUITES)('a bare node of %s', suite => {
  let lab: Lab

  beforeAll(async () => {
    if (!lacks) lab = await openLab({ suite, nodes: ['bare'], flavour: 'bare' })
  })
  afterAll(() => lab?.close())

  test('has what an installer leaves and no more', async () => {
    const node = lab.node('bare')
    expect((await node.ssh(['systemctl', 'is-system-running', '--wait'])).stdout).toBe('running\n')
    for (const tool of ['curl', 'nft', 'chronyd', 'python3', 'node'])
      expect((await node.ssh(['sh', '-c', `command -v ${tool}`])).code, tool).not.toBe(0)
  })

  test('takes a package and runs its service', async () => {
    const node = lab.node('bare')
    const install =
      'export DEBIAN_FRONTEND=noninteractive; apt-get -qq update && apt-get -qq install -y nginx-light'
    const installed = await node.ssh(['sh', '-c', install], { user: 'root', deadlineMs: 240_000 })
    expect(installed, installed.stderr).toMatchObject({ code: 0 })
    expect((await node.ssh(['systemctl', 'is-active', 'nginx'])).stdout).toBe('active\n')
    const answer = await fetch(`http://${node.address}/`)
    expect(answer.headers.get('server')).toContain('nginx')
  })
})
