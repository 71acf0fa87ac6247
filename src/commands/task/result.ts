import type { TaskDetail } from '../../contracts/tasks.ts'

/** The fields that hold what a person asked for, by kind of result. */
const MAIN = ['answer', 'summary', 'text', 'code', 'label']

/** A result for people: its main text, or the whole as JSON. */
export function resultText(result: unknown): string | undefined {
  if (result === undefined || result === null) return undefined
  if (typeof result !== 'object') return String(result)
  for (const field of MAIN) {
    const value = (result as Record<string, unknown>)[field]
    if (typeof value === 'string') return value
  }
  return JSON.stringify('data' in result ? result.data : result, undefined, 2)
}

export function detailLines(task: TaskDetail): string[] {
  const lines: [string, string | undefined][] = [
    ['task', task.id],
    ['state', task.state],
    ['kind', task.kind],
    ['says', task.says],
    ['priority', task.priority],
    ['submitted', task.submitted],
    ['ended', task.ended],
    ['reason', task.reason],
    ['retry of', task.retryOf],
    ['before it', task.position?.toString()],
    ['tokens', task.usage && `${task.usage.promptTokens} in, ${task.usage.completionTokens} out`],
  ]
  const out = lines
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(10)} ${value}`)
  for (const a of task.attempts)
    if (task.attempts.length > 1 || a.outcome !== task.state)
      out.push(`attempt ${a.attempt}  ${a.outcome} ${a.at}${a.reason ? `: ${a.reason}` : ''}`)
  return out
}
