import type { Fact } from './fact.ts'
import { fieldsOf, whole } from './fields.ts'

export interface Memory {
  /** What this system may use: all of the machine, or its container's limit where that is less. */
  totalBytes: number
  availableBytes: number
  swapBytes: number
  cpus: number
}

// The root of a machine has no memory.max; that of a container has its limit, or `max`.
export const memory: Fact<Memory> = {
  id: 'memory',
  deadlineMs: 5_000,
  script: `while read -r key size unit; do
  case $key in
  MemTotal:) echo "memtotal=$size" ;;
  MemAvailable:) echo "memavailable=$size" ;;
  SwapTotal:) echo "swaptotal=$size" ;;
  esac
done </proc/meminfo
limit=
[ ! -r /sys/fs/cgroup/memory.max ] || read -r limit </sys/fs/cgroup/memory.max
printf 'limit=%s\\n' "$limit"
printf 'cpus=%s\\n' "$(nproc)"`,
  parse(stdout) {
    const fields = fieldsOf(stdout)
    const bytes = (key: string) => whole(fields.get(key)) * 1024
    const limit = fields.get('limit') ?? ''
    const total = bytes('memtotal')
    return {
      totalBytes: /^\d+$/.test(limit) ? Math.min(total, Number(limit)) : total,
      availableBytes: bytes('memavailable'),
      swapBytes: bytes('swaptotal'),
      cpus: whole(fields.get('cpus')),
    }
  },
}
