import { STEPS, UNIT } from './places.ts'

/** A shell function: does the step with the id $1 run? Its act holds a lock; where systemd does not answer, nobody knows, and that is not the end. */
export const ALIVE = `alive() {
  if [ -e "${STEPS}/$1/alive" ] && ! flock -s -n "${STEPS}/$1/alive" true; then return 0; fi
  case $(systemctl show -p ActiveState --value "${UNIT}$1.service") in inactive|failed) return 1 ;; esac
  return 0
}`
