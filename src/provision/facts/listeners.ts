import type { Fact } from './fact.ts'
import { linesOf, whole } from './fields.ts'

/** A socket that takes what comes in: TCP that listens, or UDP that is bound. */
export interface Listener {
  protocol: 'tcp' | 'udp'
  /** Without brackets and interface; `*` for all addresses. */
  address: string
  port: number
  /** Who holds it; none for the kernel's own, such as NFS. */
  programs: { name: string; pid: number; unit?: string }[]
  /** The socket unit, where systemd listens for another unit. */
  socket?: string
}

/** Every listener of the node, with the systemd units of those who hold them. */
export const listeners: Fact<Listener[]> = {
  id: 'listeners',
  deadlineMs: 10_000,
  // Of cgroup v1 the line of systemd counts. A process that ended meanwhile listens no more.
  script: `sockets=$(ss -Hltunp) || exit
printf '%s\\n' "$sockets"
for pid in $(printf '%s' "$sockets" | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -u); do
  if groups=$(cat "/proc/$pid/cgroup" 2>/dev/null); then
    printf 'unit\\t%s\\t%s\\n' "$pid" "$(printf '%s\\n' "$groups" | sed -n 's/^\\(0::\\|[0-9]*:name=systemd:\\)//p' | sort | tail -n 1)"
  else printf 'gone\\t%s\\n' "$pid"; fi
done
[ ! -d /run/systemd/system ] || systemctl list-sockets --no-legend --plain | while read -r listen unit _; do
  printf 'socket\\t%s\\t%s\\n' "$listen" "$unit"
done`,
  parse(stdout) {
    const lines = linesOf(stdout).map(line => line.split('\t'))
    const units = new Map(lines.filter(l => l[0] === 'unit').map(l => [l[1]!, unitOf(l[2]!)]))
    const gone = new Set(lines.filter(l => l[0] === 'gone').map(l => whole(l[1]!)))
    const sockets = new Map(lines.filter(l => l[0] === 'socket').map(l => [portOf(l[1]!), l[2]!]))
    return lines
      .filter(l => l.length === 1)
      .map(([line]) => listenerOf(line!, { units, sockets }))
      .filter(({ programs }) => programs.length === 0 || programs.some(({ pid }) => !gone.has(pid)))
  },
}

function listenerOf(
  line: string,
  o: { units: Map<string, string | undefined>; sockets: Map<string, string> },
): Listener {
  const [, protocol, local] = /^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+)/.exec(line) ?? []
  const [, address, port] = /^(.*):(\d+)$/.exec(local ?? '') ?? []
  if (!address || !port) throw new Error(`${JSON.stringify(line)} is no socket`)
  const programs = [...line.matchAll(/\("((?:[^"\\]|\\.)*)",pid=(\d+),/g)].map(([, name, pid]) => {
    const unit = o.units.get(pid!)
    return { name: name!, pid: whole(pid), ...(unit && { unit }) }
  })
  const socket = programs.some(p => p.pid === 1) ? o.sockets.get(portOf(local!)) : undefined
  return {
    protocol: protocol as Listener['protocol'],
    address: address.replace(/%.*$/, '').replace(/^\[(.*)\]$/, '$1'),
    port: whole(port),
    programs: [...new Map(programs.map(p => [p.pid, p])).values()],
    ...(socket && { socket }),
  }
}

/** ss says `*:80` where systemctl says `[::]:80` or `80`. */
const portOf = (local: string) => /(\d+)$/.exec(local)?.[1] ?? local

/** The innermost unit of a path such as /system.slice/ssh.service. */
const unitOf = (path: string): string | undefined =>
  path.split('/').findLast(part => /\.(service|scope|socket)$/.test(part))
