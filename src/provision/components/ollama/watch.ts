import type { FileItem, Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import type { View } from '../component.ts'
import { UNIT, WATCH_SCRIPT, WATCH_UNIT } from './names.ts'
import type { Config } from './schema.ts'

/** Seconds from one look to the next, and for an answer, which costs Ollama nothing whatever it computes. */
const EVERY_S = 5
const PATIENCE_S = 10
/** One pause of a machine under pressure is no hang. */
const TIMES = 3

/** systemd notices a process that ends; one that hangs is noticed by this. */
export function watchItems({ config }: View<Config>): Item[] {
  const script = fill('ollama/ollama-watch', {
    port: config.port,
    every: EVERY_S,
    patience: PATIENCE_S,
    times: TIMES,
    unit: UNIT,
  })
  const unit = (inputs: string) =>
    fill(`ollama/${WATCH_UNIT}`, {
      script: WATCH_SCRIPT,
      inputs: { lines: inputLines(inputs, { process: true }).trimEnd().split('\n') },
    })
  const inputs = sha256(unit('') + script).slice(0, 16)
  const file = { kind: 'file', owner: 'root:root', says: 'ends an Ollama that hangs' } as const
  const files: FileItem[] = [
    { ...file, path: WATCH_SCRIPT, text: script, mode: 0o755 },
    { ...file, path: `/etc/systemd/system/${WATCH_UNIT}`, text: unit(inputs), mode: 0o644 },
  ]
  return [...files, { kind: 'unit', name: WATCH_UNIT, says: 'ends an Ollama that hangs', inputs }]
}
