import type { Down } from '../../provision/index.ts'

/** What stays because it is data; the many secrets of a node are one line. */
export function keptLines(kept: Down['kept']): string[] {
  const folders = new Map<string, Down['kept']>()
  for (const one of kept) {
    const folder = one.path.slice(0, one.path.lastIndexOf('/'))
    const key = `${one.node}\t${one.component}\t${folder === '/var/lib' ? one.path : folder}`
    folders.set(key, [...(folders.get(key) ?? []), one])
  }
  return [...folders.values()].map(same => {
    const { node, component, path } = same[0]!
    const where = same.length === 1 ? path : `${path.slice(0, path.lastIndexOf('/'))} (${same.length})`
    return `KEPT    ${node}: ${where} of ${component}`
  })
}

export function downText(done: Down, o: { name: string; purge: boolean; seconds: number }): string[] {
  return [
    ...done.failed.flatMap(({ step, why, stderr }) => [
      `FAILED  ${step.node}: ${step.says}`,
      `        ${why}`,
      ...tail(stderr).map(line => `        ${line}`),
    ]),
    ...(done.failed.length > 0 ? [] : done.remains.map(({ node, what }) => `LEFT    ${node}: ${what}`)),
    ...keptLines(done.kept),
    ...(done.untouched.length > 0
      ? [`NOT ASKED ${done.untouched.join(', ')}: what is there stays there`]
      : []),
    closing(done, o),
    ...next(done, o).map(line => `  next     ${line}`),
  ]
}

export function downJson({ changed, failed, kept, remains, untouched }: Down) {
  return {
    changed,
    failed: failed.map(({ step, code, why, stderr }) => ({
      node: step.node,
      step: step.says,
      code,
      why,
      stderr,
    })),
    kept,
    remains,
    untouched,
  }
}

function closing({ changed, failed, remains, kept }: Down, o: { name: string; seconds: number }): string {
  const steps = `${changed} ${changed === 1 ? 'step' : 'steps'}`
  if (failed.length > 0)
    return `${o.name} is partly removed: ${steps} done, ${failed.length} failed, in ${o.seconds} s.`
  if (remains.length > 0)
    return `${o.name} is removed, and something is left, after ${steps} in ${o.seconds} s.`
  const data = kept.length > 0 ? 'but its data ' : ''
  return changed === 0
    ? `Nothing of ${o.name} ${data}is on these machines. Nothing was changed. (${o.seconds} s)`
    : `Nothing of ${o.name} ${data}is on these machines any more, after ${steps} in ${o.seconds} s.`
}

function next({ failed, remains, kept }: Down, { name }: { name: string }): string[] {
  if (failed.length > 0) return ['mend what failed, then run the same command again: it goes on from there']
  if (remains.length > 0) return ['look at what is left; remove what is of no use']
  if (kept.length === 0) return []
  return [
    '`llmagentos cluster up` takes the data up again',
    `or destroy it: llmagentos cluster down --purge-data --confirm ${name}`,
  ]
}

const tail = (text: string) => text.trim().split('\n').slice(-8).filter(Boolean)
