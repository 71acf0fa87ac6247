import type { UpEvent } from '../../provision/index.ts'
import type { Io } from '../command.ts'

const HEARTBEAT_MS = 10_000

/** Shows what a run does, as it does it. */
export interface UpProgress {
  tell(event: UpEvent): void
  /** Nothing moves any more when it returns, or settles. */
  stop(): void | Promise<void>
}

/** A picture that moves on a terminal that can; else plain lines, or JSON. */
export async function progressOf(o: { json: boolean; io: Io }): Promise<UpProgress> {
  if (o.json || !o.io.stderr.isTTY || o.io.env['TERM'] === 'dumb') return upProgress(o)
  const { paintedProgress } = await import('./painted-progress.tsx')
  return paintedProgress(o.io)
}

/** Plain lines as steps end, and one each ten seconds while nothing does; with JSON, one event per line on stdout. */
export function upProgress({ json, io }: { json: boolean; io: Io }): UpProgress {
  const running = new Map<string, string>()
  let said = performance.now()
  const say = (line: string) => {
    said = performance.now()
    io.say(line)
  }
  const heart = setInterval(() => {
    if (json || running.size === 0 || performance.now() - said < HEARTBEAT_MS) return
    for (const line of running.values()) say(`... ${line}`)
  }, 1_000)
  heart.unref()
  return {
    tell(event) {
      if (event.type === 'begin') running.set(event.step.id, `${event.step.node}: ${event.step.says}`)
      if (event.type === 'done' || event.type === 'failed') running.delete(event.step.id)
      if (json) return io.print(JSON.stringify(eventJson(event)))
      const line = lineOf(event)
      if (line !== undefined) say(line)
    },
    stop: () => clearInterval(heart),
  }
}

/** What stays on the screen of an event; undefined where nothing does. */
export function lineOf(event: UpEvent): string | undefined {
  switch (event.type) {
    case 'phase':
      return `${event.says} ...`
    case 'waiting':
      return `Waiting for ${event.holder.who}, who has held the lock since ${event.holder.since}: ${event.holder.doing} ...`
    case 'finding': {
      const { level, node, says } = event.finding
      return `  ${node ? `${node}: ` : ''}${level}: ${says}`
    }
    case 'done':
      return `  ${event.step.node}: ${event.step.says} (${(event.ms / 1000).toFixed(1)} s)`
    case 'failed':
      return `  ${event.step.node}: FAILED ${event.step.says}`
    case 'cut':
      return `  ${event.step.node}: the connection was cut (${event.why}); looking for it again: ${event.step.says}`
    default:
      return undefined
  }
}

/** Steps without their acts: those hold whole files. */
function eventJson(event: UpEvent): object {
  const { type, ...rest } = event
  if ('plans' in rest)
    return {
      event: type,
      steps: rest.plans.flatMap(p => p.waves.flatMap(w => w.steps.map(s => stepJson(s, p.component)))),
    }
  if ('step' in rest) return { event: type, ...rest, step: stepJson(rest.step, rest.component) }
  return { event: type, ...rest }
}

const stepJson = (
  { id, node, says, risk }: { id: string; node: string; says: string; risk: string },
  component: string,
) => ({
  id,
  component,
  node,
  says,
  risk,
})
