import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab, SUITES } from './lab.ts'

storiesOfTheLab()

const MINUTES = 60_000
const COUNT = 1_000

describe.each(SUITES)('the journal of a node of %s', suite => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: `node-logs-${suite}`, suite, nodes: 1 })
    ada = await operator(lab, clusterYaml(lab, { user: 'ops' }))
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'is followed over cuts from where it stopped: no line is lost, none is doubled',
    async () => {
      const word = `lao-counted-${process.pid}`
      const n1 = lab.node('n1')
      const { child, ended } = ada.start('node', 'logs', 'n1', '--follow', '--unit', word, '--lines', '0')
      const out = { stdout: '', stderr: '' }
      for (const name of ['stdout', 'stderr'] as const) child[name]!.on('data', chunk => (out[name] += chunk))
      const numbers = () =>
        [...out.stdout.matchAll(new RegExp(`${word} (\\d+)\\n`, 'g'))].map(found => Number(found[1]))
      const eventually = (check: () => unknown, seconds: number) =>
        vi.waitFor(check, { timeout: seconds * 1_000, interval: 100 })
      const reached = (number: number) =>
        eventually(() => expect(numbers().at(-1) ?? 0, out.stderr).toBeGreaterThanOrEqual(number), 120)
      await eventually(
        async () => expect(await n1.run('pgrep -u root -x journalctl || true'), out.stderr).not.toBe(''),
        30,
      )
      const writes = `i=0; while [ $i -lt ${COUNT} ]; do i=$((i + 1)); echo "${word} $i"; sleep 0.05; done`
      await n1.run(`systemd-run --quiet --unit=${word} sh -c '${writes}'`)
      // The session is killed, as when sshd dies; then the cable is out until the connection is given up.
      for (const number of [40, 120]) {
        await reached(number)
        await n1.run('for p in $(pgrep -u ops -f "^sshd"); do kill -9 $p; done')
      }
      await reached(180)
      n1.cut()
      const cuts = () => out.stderr.match(/was cut/g)?.length
      await eventually(() => expect(cuts(), out.stderr).toBe(3), 90).finally(() => n1.heal())
      await reached(COUNT)
      child.kill('SIGINT')
      expect((await ended).code, out.stderr).toBe(130)
      expect(numbers()).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1))
    },
    6 * MINUTES,
  )
})
