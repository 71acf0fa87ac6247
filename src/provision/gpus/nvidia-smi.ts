import type { Fact } from '../facts/fact.ts'
import { linesOf } from '../facts/fields.ts'
import type { Told } from './card.ts'

const FIELDS = [
  'pci.bus_id',
  'uuid',
  'name',
  'memory.total',
  'memory.free',
  'driver_version',
  'mig.mode.current',
  'compute_cap',
]
const MIB = 1024 * 1024

/** `absent`: there is no such program. `failed`: it runs and does not reach its driver, in its own words. */
export type Smi = { cards: Told[] } | { failed: string } | 'absent'

// Drivers before 510 know no compute_cap, and say so with 2.
export const nvidiaSmi: Fact<Smi> = {
  id: 'nvidia-smi',
  deadlineMs: 15_000,
  script: `command -v nvidia-smi >/dev/null || { echo absent; exit 0; }
all=${FIELDS.join(',')}
for fields in "$all" "\${all%,*}"; do
  said=$(nvidia-smi --query-gpu="$fields" --format=csv,noheader,nounits 2>&1) && { printf 'told\\n%s\\n' "$said"; exit 0; }
  [ $? = 2 ] || break
done
printf 'failed\\n%s\\n' "$said"`,
  parse(stdout) {
    const [head, ...lines] = linesOf(stdout)
    if (head === 'absent' && lines.length === 0) return 'absent'
    if (head === 'failed') return { failed: lines.join(' ').trim().slice(0, 300) || 'it said nothing' }
    if (head !== 'told') throw new Error(`${JSON.stringify(head)} is not understood`)
    if (lines.length === 1 && /^no devices were found/i.test(lines[0]!)) return { cards: [] }
    return { cards: lines.map(cardIn) }
  },
}

function cardIn(line: string): Told {
  const values = line.split(',').map(value => value.trim())
  const at = placeOf(values[0])
  if (values.length < FIELDS.length - 1 || at === undefined)
    throw new Error(`${JSON.stringify(line.slice(0, 200))} is no card`)
  const [, uuid, name, total, free, driverVersion, mig, computeCapability] = values.map(known)
  return {
    at,
    ...(uuid && { uuid }),
    ...(name && { name }),
    ...bytes('memoryBytes', total),
    ...bytes('freeBytes', free),
    ...(driverVersion && { driverVersion }),
    ...(mig && { split: mig === 'Enabled' }),
    ...(computeCapability && { computeCapability }),
  }
}

/** `00000000:01:00.0`, and the bus's own name for it: `0000:01:00.0`. */
function placeOf(busId: string | undefined): string | undefined {
  const found = /^(?:[0-9a-f]{4})?([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(busId ?? '')
  return found?.[1]?.toLowerCase()
}

/** `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `[Insufficient Permissions]`, `[GPU requires reset]`: it does not know. */
const known = (value: string) => (/^(\[.*\]|N\/A|)$/.test(value) ? undefined : value)

/** In MiB. Parts with memory that they share with the processor tell none, or 0. */
const bytes = (key: 'memoryBytes' | 'freeBytes', mib: string | undefined) =>
  mib && /^\d+$/.test(mib) && (key === 'freeBytes' || mib !== '0') ? { [key]: Number(mib) * MIB } : {}
