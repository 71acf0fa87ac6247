import { EXIT, Failure } from '../../errors.ts'

/** `gpu=h200` and others of its kind; undefined where none is given. */
export function labelsOf(given: string[] | undefined): Record<string, string> | undefined {
  if (!given) return undefined
  return Object.fromEntries(
    given.map(text => {
      const [, label, value] = /^([^=\s]+)=([^=\s]+)$/.exec(text) ?? []
      if (label && value) return [label, value]
      throw new Failure(`${text} is no label.`, {
        exit: EXIT.usage,
        next: 'Write it as it stands at the node in cluster.yaml: --on gpu=h200.',
      })
    }),
  )
}
