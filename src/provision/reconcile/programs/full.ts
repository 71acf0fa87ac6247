import { STATE } from './places.ts'

/** Shell: where a program exits with 1 because the disk is full, it says so. The shell itself says no more than `I/O error`. */
export const SAY_FULL = `full() {
  set -- $(df -B1 --output=avail,target ${STATE} 2>/dev/null | tail -n 1)
  [ "\${1:-1}" -gt 0 ] || echo "$2 is full, and ${STATE} cannot be written." >&2
}
trap '[ $? != 1 ] || full' EXIT`
