import type { Fact } from '../../../facts/fact.ts'
import { linesOf, whole } from '../../../facts/fields.ts'
import { FOLDERS } from './places.ts'

/** What the disk under an OSD says of itself. */
export interface Smart {
  disk: string
  /** It expects to fail soon, or has failed. */
  failing: boolean
}

/** Where smartctl is installed; a disk that cannot be asked, such as a virtual one, is not among them. */
export const smart: Fact<Smart[]> = {
  id: 'SMART of disks with OSDs',
  deadlineMs: 30_000,
  script: `command -v smartctl >/dev/null && cd ${FOLDERS}/by-disk 2>/dev/null || exit 0
for one in *; do
  [ -b "/dev/disk/by-id/$one" ] || continue
  timeout 5 smartctl --quietmode=silent --nocheck=standby --health "/dev/disk/by-id/$one"; code=$?
  case $code in 124 | 137) continue ;; esac
  printf '%s\\t%s\\n' "$one" "$code"
done
:`,
  parse: stdout =>
    linesOf(stdout).flatMap(line => {
      const [disk, text] = line.split('\t')
      const code = whole(text)
      // The first two bits: it could not be asked. The fourth and fifth: it fails, or is below a threshold now.
      return (code & 3) !== 0 ? [] : [{ disk: disk!, failing: (code & 24) !== 0 }]
    }),
}
