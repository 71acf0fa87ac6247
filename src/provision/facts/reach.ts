import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'

export interface Peer {
  address: string
  port: number
}

/** What a TCP connection from the node came to. `closed`: it was refused, so nothing on the way stands against it. */
export interface Reached extends Peer {
  answer: 'open' | 'closed' | 'silent' | 'barred'
  /** What the kernel said of one that was barred, such as `No route to host`. */
  why?: string
}

const AT_ONCE = 32
const EACH_S = 2

/** Tries to connect from the node to each of `peers`, 32 at a time, for 2 s each. Nothing is sent, and nothing has to listen. */
export function reach(peers: Peer[]): Fact<Reached[]> {
  const words = peers.map(peer => `${peer.address} ${peer.port}`)
  return {
    id: `reach ${words.join(',')}`,
    deadlineMs: 10_000 + Math.ceil(peers.length / AT_ONCE) * (EACH_S + 1) * 1000,
    // Every Debian has bash, and with it /dev/tcp.
    script: `printf '%s\\n' ${words.map(word => quote([word])).join(' ')} | xargs -P ${AT_ONCE} -L 1 bash -c ${quote([TRY])} bash`,
    parse(stdout) {
      const found = linesOf(stdout).map(reachedOf)
      if (found.length !== peers.length) throw new Error('it is not about all peers')
      return found
    },
  }
}

const TRY = `said=$(timeout ${EACH_S} bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1)
printf "%s\\t%s\\t%s\\t%s\\n" "$1" "$2" $? "$(printf %s "$said" | tail -n 1)"`

function reachedOf(line: string): Reached {
  const [address, port, code, said] = line.split('\t')
  if (!address || !/^\d+$/.test(port ?? '') || !/^\d+$/.test(code ?? ''))
    throw new Error(`${JSON.stringify(line)} is no line of it`)
  const peer = { address, port: Number(port) }
  if (code === '0') return { ...peer, answer: 'open' }
  if (code === '124') return { ...peer, answer: 'silent' }
  if (/Connection refused/.test(said ?? '')) return { ...peer, answer: 'closed' }
  return { ...peer, answer: 'barred', why: (said ?? '').split(': ').at(-1)?.trim() || `exit ${code}` }
}
