import { EXIT, Failure } from '../../errors.ts'

interface Applied {
  failed: { step: { node: string; says: string }; code?: number; why: string; stderr: string }[]
  notRun: unknown[]
}

/** Throws Failure where not all was done: 9 when the step looked again and refused, else 5. */
export function afterVerb({ failed, notRun }: Applied, o: { what: string; next?: string }): void {
  if (failed.length + notRun.length === 0) return
  const refused = failed.some(({ code }) => code === EXIT.unsafe)
  throw new Failure(o.what, {
    exit: refused ? EXIT.unsafe : EXIT.partial,
    why: failed
      .map(({ step, why, stderr }) =>
        `${step.node}: ${refused ? '' : `${step.says}: ${why} `}${stderr.trim()}`.trim(),
      )
      .join('\n'),
    next: refused
      ? 'Look at it: llmagentos cluster status'
      : (o.next ?? 'Run the same command again: it goes on from there.'),
  })
}
