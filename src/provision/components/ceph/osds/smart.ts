import type { Fact } from '../../../facts/fact.ts'
import { linesOf } from '../../../facts/fields.ts'
import { FOLDERS } from './places.ts'

/** What the disks under OSDs say of themselves. */
export interface Smart {
  /** Without smartctl nobody asks them. */
  asked: boolean
  /** One that has nothing to say, such as a virtual one, or one that sleeps, is not among them. */
  disks: { disk: string; failing: boolean; why: string }[]
}

export const smart: Fact<Smart> = {
  id: 'SMART of disks with OSDs',
  deadlineMs: 30_000,
  script: `cd ${FOLDERS}/by-disk 2>/dev/null || { echo none; exit 0; }
command -v smartctl >/dev/null || { echo absent; exit 0; }
for one in $(ls; cat */db 2>/dev/null | sort -u); do
  [ -b "/dev/disk/by-id/$one" ] || continue
  said=$(timeout 5 smartctl --json=c --nocheck=standby --health --attributes "/dev/disk/by-id/$one")
  printf '%s\\t%s\\n' "$one" "$(printf %s "$said" | tr '\\t\\n' '  ')"
done
:`,
  parse(stdout) {
    const lines = linesOf(stdout)
    if (lines[0] === 'absent') return { asked: false, disks: [] }
    return { asked: true, disks: lines.filter(line => line.includes('\t')).flatMap(diskOf) }
  },
}

/** Of smartctl's JSON, what ATA, SCSI and NVMe disks have. */
interface Said {
  smart_status?: { passed?: boolean }
  ata_smart_attributes?: {
    table?: { id: number; name: string; when_failed?: string; raw?: { value: number } }[]
  }
  nvme_smart_health_information_log?: {
    critical_warning?: number
    available_spare?: number
    available_spare_threshold?: number
    media_errors?: number
  }
}

function diskOf(line: string): Smart['disks'] {
  const [disk, text] = line.split('\t') as [string, string]
  // It gave no answer in time.
  if (text === '') return []
  const said = JSON.parse(text) as Said
  const passed = said.smart_status?.passed
  if (passed === undefined) return []
  const why = [...ata(said), ...nvme(said)]
  return [{ disk, failing: !passed || why.length > 0, why: why.join(', ') }]
}

const ata = ({ ata_smart_attributes }: Said): string[] =>
  (ata_smart_attributes?.table ?? [])
    .filter(one => one.when_failed === 'now')
    .map(({ name, raw }) => `${name} ${raw?.value ?? ''} is past its threshold`.replace('  ', ' '))

// A bit each, in this order.
const WARNINGS = [
  'its spare blocks are used up',
  'it is too hot or too cold',
  'its errors have made it unreliable',
  'it takes no more writes',
  'its memory keeps nothing without power',
  'its persistent memory region is read-only',
]

function nvme({ nvme_smart_health_information_log: log }: Said): string[] {
  const bits = log?.critical_warning ?? 0
  return WARNINGS.filter((_, bit) => bits & (1 << bit))
}
