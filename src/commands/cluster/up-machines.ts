import { dirname, join } from 'node:path'
import { EXIT, type ExitCode, Failure } from '../../errors.ts'
import type { ComponentPlan, Up } from '../../provision/index.ts'
import type { Call } from '../command.ts'
import { atTerminal, type MachineFlags, withMachines } from '../machines/index.ts'
import { planText } from '../views/plan.ts'
import { progressOf } from '../views/up-progress.ts'
import { settleDisks } from './accept-disks.ts'
import { keepAccess } from './access.ts'
import { placeModels } from './declared-models.ts'
import { type FileFlags, wantedOf, writeBase } from './machines.ts'

export interface UpFlags extends MachineFlags, FileFlags {
  yes?: boolean
  acceptDisks?: boolean
  lockWait?: number
}

/** `cluster up` with a cluster.yaml. */
export async function upMachines(call: Call<UpFlags>): Promise<ExitCode> {
  const { flags, json, io } = call
  await settleDisks({ flags, io, required: true })
  return withMachines({ flags, io }, async machines => {
    const { artifactSource, lockFile, lockFileOf, registry, up } = await import('../../provision/index.ts')
    const began = performance.now()
    const recoveryFile = join(dirname(machines.file), `${machines.cluster.name}.recovery.age`)
    const progress = await progressOf({ json, io })
    const done = await up({
      ...(await wantedOf(machines, { flags, io })),
      lockWaitMs: flags.lockWait ?? 0,
      recoveryFile,
      artifacts: artifactSource(io.env, {
        mirror: machines.cluster.artifacts.mirror,
        proxy: machines.cluster.site.proxy,
        published: registry.flatMap(component => component.published ?? []),
        locked: lockFile(lockFileOf(machines.file)),
      }),
      onEvent: event => progress.tell(event),
      agree: plans => agreed(plans, { call, cluster: machines.cluster.name }),
    }).finally(() => progress.stop())
    if (done.applied && done.failed.length === 0) await writeBase(machines.cluster, done.applied, io.env)
    const exit = exitOf(done)
    const { access: way, ca } = done
    const access =
      way && exit === EXIT.ok ? await keepAccess(machines.cluster.name, { access: way, ca }, io) : []
    if (ca) {
      const { Clusters } = await import('../../runtime/index.ts')
      new Clusters(io.env).saveCa(machines.cluster.name, ca)
    }
    const models = access.length > 0 ? await placeModels(machines.cluster, { io, json }) : []
    const seconds = Math.round((performance.now() - began) / 100) / 10
    if (json) io.print(JSON.stringify({ event: 'done', ...summary(done), seconds, exit }))
    else
      for (const line of [
        ...words(done, { name: machines.cluster.name, seconds, recoveryFile }),
        ...models,
        ...(access.length > 0 || done.failed.length > 0 ? access : ['  next     llmagentos cluster status']),
      ])
        io.print(line)
    return exit
  })
}

async function agreed(plans: ComponentPlan[], o: { call: Call<UpFlags>; cluster: string }): Promise<void> {
  const { flags, json, io } = o.call
  if (!json) for (const line of planText(plans, o)) io.say(line)
  if (flags.yes) return
  if (json || !atTerminal(io))
    throw new Failure('There is something to change, and nobody to ask.', {
      exit: EXIT.usage,
      next: 'Look at it with `cluster plan`, then run `cluster up --yes`.',
    })
  const { agree } = await import('../views/prompt.ts')
  if (await agree('Do this?', io)) return
  throw new Failure('Nothing was changed.', { exit: EXIT.interrupted })
}

function exitOf(done: Up): ExitCode {
  if (done.failed.length > 0 || done.skipped.length > 0) return EXIT.partial
  return done.findings.some(({ finding }) => finding.level === 'bad') ? EXIT.unhealthy : EXIT.ok
}

function summary({ changed, failed, skipped, findings, recovered }: Up) {
  return {
    changed,
    recovered,
    failed: failed.map(({ step, code, why, stderr }) => ({
      node: step.node,
      step: step.says,
      code,
      why,
      stderr,
    })),
    skipped,
    findings: findings.map(({ component, finding }) => ({ component, ...finding })),
  }
}

function words(done: Up, o: { name: string; seconds: number; recoveryFile: string }): string[] {
  const bad = done.findings.filter(({ finding }) => finding.level !== 'ok')
  return [
    ...done.failed.flatMap(({ step, why, stderr }) => [
      `FAILED  ${step.node}: ${step.says}`,
      `        ${why}`,
      ...stderr
        .trim()
        .split('\n')
        .slice(-8)
        .filter(Boolean)
        .map(line => `        ${line}`),
    ]),
    ...done.skipped.map(({ node, why }) => `SKIPPED ${node}: ${why}`),
    ...bad.map(
      ({ finding }) =>
        `${finding.level.toUpperCase().padEnd(7)} ${finding.node ? `${finding.node}: ` : ''}${finding.says}${finding.fix ? ` ${finding.fix}` : ''}`,
    ),
    closing(done, o),
    ...(done.recovered ? [`  recovery  ${o.recoveryFile}: keep a copy of it away from these machines`] : []),
    ...(done.failed.length > 0
      ? ['  next     mend what failed, then run the same command again: it goes on from there']
      : []),
  ]
}

function closing(
  { changed, failed, skipped }: Up,
  { name, seconds }: { name: string; seconds: number },
): string {
  const steps = `${changed} ${changed === 1 ? 'step' : 'steps'}`
  if (failed.length > 0)
    return `${name} is partly applied: ${steps} done, ${failed.length} failed, in ${seconds} s.`
  if (skipped.length > 0)
    return `${name} is partly applied: ${steps} done, ${skipped.length} left out, in ${seconds} s.`
  return changed === 0
    ? `${name} is as its cluster.yaml says. Nothing was changed. (${seconds} s)`
    : `${name} is as its cluster.yaml says, after ${steps} in ${seconds} s.`
}
