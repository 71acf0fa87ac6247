import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { aptRunning, converged, quickApt, slowApt } from './up/faults.ts'

storiesOfTheLab()

const MINUTES = 60_000
const STOPPED_MS = 90_000
/** Bounded: a bring-up has a few dozen steps on a node. */
const MOST_RUNS = 100
/** As if nothing of ours had ever been there; and nftables is not there either, so that apt has something to do. */
const UNDO =
  '{ systemctl disable --now llmagentos-firewall; nft flush ruleset; apt-get -y -qq --allow-change-held-packages purge nftables; rm -rf /var/lib/llmagentos /etc/llmagentos /etc/systemd/system/llmagentos-*; sed -i "/begin llmagentos/,/end llmagentos/d" /etc/hosts; systemctl daemon-reload; } >/dev/null 2>&1'

describe('a cluster up that does not come to its end', () => {
  let lab: Lab
  let ada: Operator
  let bob: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'up-killed', nodes: 2 })
    const wanted = clusterYaml(lab, { roles: { n2: 'worker' }, more: 'firewall: {mode: strict}\n' })
    ada = await operator(lab, wanted)
    bob = await operator(lab, wanted)
    await each(UNDO)
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  const each = (line: string) => Promise.all(lab.nodes.map(node => node.run(line)))
  const files = () => Promise.all(lab.nodes.map(node => node.files()))

  test(
    'that slept for 90 s while another one finished changes nothing more, and ends with 7',
    async () => {
      await slowApt(lab.node('n1'), 15)
      const sleeper = ada.start('cluster', 'up', '--yes', '--json')
      onTestFinished(() => void sleeper.child.kill('SIGKILL'))
      await aptRunning(lab.node('n1'))
      const began = performance.now()
      sleeper.child.kill('SIGSTOP')
      const other = await bob.cli('cluster', 'up', '--yes', '--lock-wait', '90s')
      expect(other, other.stdout + other.stderr).toMatchObject({ code: 0 })
      await sleep(Math.max(0, STOPPED_MS - (performance.now() - began)))
      const before = await files()
      sleeper.child.kill('SIGCONT')
      const { code, stderr } = await sleeper.ended
      expect(code, stderr).toBe(7)
      expect(await files()).toEqual(before)
      await quickApt(lab.node('n1'))
      await converged(lab, bob)
    },
    10 * MINUTES,
  )

  test(
    'because it is killed (-9) during each step, again and again, leaves the rest to the next one',
    async () => {
      await each(UNDO)
      const begun = new Set<string>()
      for (let run = 1; ; run++) {
        expect(run, [...begun].join('\n')).toBeLessThan(MOST_RUNS)
        const { child, events, ended } = bob.start('cluster', 'up', '--yes', '--json')
        for await (const { event, step } of events) {
          if (event !== 'begin' || !step || begun.has(`${step.node} ${step.says}`)) continue
          begun.add(`${step.node} ${step.says}`)
          child.kill('SIGKILL')
          break
        }
        const { code, stderr } = await ended
        if (code === 0) break
        expect(code, stderr).toBeNull()
        // As an operator does who knows that the other run is gone; else each waits until the lock is free by itself.
        expect(await bob.cli('cluster', 'lock', 'release', '--yes')).toMatchObject({ code: 0 })
      }
      expect(begun.size).toBeGreaterThan(5)
      await converged(lab, bob)
    },
    15 * MINUTES,
  )
})
