import { expect, vi } from 'vitest'
import type { Event, Operator, Started } from '../cli.ts'
import type { Lab, LabNode } from '../lab.ts'

/** From now on each run of apt says so in /root/apt-runs and takes `seconds` before dpkg begins. */
export const slowApt = (node: LabNode, seconds: number) =>
  node.run(
    `rm -f /root/apt-runs; echo 'DPkg::Pre-Invoke { "echo run >>/root/apt-runs; sleep ${seconds}"; };' >/etc/apt/apt.conf.d/99slow`,
  )

export const quickApt = (node: LabNode) => node.run('rm -f /etc/apt/apt.conf.d/99slow')

/** How often apt came to the point where dpkg begins. */
export const aptRuns = async (node: LabNode) =>
  Number(await node.run('cat /root/apt-runs 2>/dev/null | wc -l'))

/** Waits until apt is about to start dpkg. */
export const aptRunning = (node: LabNode) =>
  vi.waitFor(async () => expect(await aptRuns(node)).toBeGreaterThan(0), { timeout: 120_000, interval: 200 })

/** What dpkg holds against a machine, in words; an empty text for a clean one. */
export const dpkgOf = (node: LabNode) =>
  node.run(
    `dpkg --audit; dpkg -l | awk '/^[a-z]/ && !/^(ii|hi|rc) / { print }'; ls /var/lib/dpkg/updates; pgrep -ax 'apt-get|dpkg' || true`,
  )

/** The first event of a kind from now on; throws with all that the CLI said where it ends before. */
export async function eventOf(started: Started, which: (event: Event) => boolean): Promise<Event> {
  for await (const event of started.events) if (which(event)) return event
  const { code, stdout, stderr } = await started.ended
  throw new Error(`it ended with ${code} before: ${stdout}${stderr}`)
}

/** A plan that is empty, and machines that are clean. */
export async function converged(lab: Lab, ada: Operator): Promise<void> {
  const plan = await ada.cli('cluster', 'plan', '--exit-code')
  expect(plan, plan.stdout + plan.stderr).toMatchObject({ code: 0 })
  for (const node of lab.nodes) expect(await dpkgOf(node), node.name).toBe('')
}
