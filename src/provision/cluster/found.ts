import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Connection } from '../connections/connection.ts'
import type { Fact } from '../facts/fact.ts'
import { identity } from '../facts/identity.ts'
import { memory } from '../facts/memory.ts'
import { network } from '../facts/network.ts'
import { type FreeDisk, freeDisks } from './free-disks.ts'

/** What `init` writes of a machine that answers. */
export interface Found {
  /** Of the machine itself, with or without a domain. */
  hostname: string
  /** IPv4, of interfaces that are up, without loopback. */
  addresses: string[]
  memoryBytes: number
  cpus: number
  disks: FreeDisk[]
  /** Makers of its graphics processors: `nvidia`, `amd`. */
  gpus: string[]
}

const MAKERS: Record<string, string> = { '0x10de': 'nvidia', '0x1002': 'amd' }

// Class 0x03: displays and 3D controllers. Without a driver they are there as well.
const gpus: Fact<string[]> = {
  id: 'gpus',
  deadlineMs: 5_000,
  script: `for device in /sys/bus/pci/devices/*; do
  case $(cat "$device/class" 2>/dev/null) in 0x03*) cat "$device/vendor" ;; esac
done`,
  parse: stdout => stdout.split('\n').flatMap(vendor => MAKERS[vendor.trim()] ?? []),
}

/** Asks a machine, as whoever logs in there: nothing needs root. Throws what `exec` throws, and Failure (3) for what is no Debian machine. */
export async function findOut(on: Connection, signal: AbortSignal): Promise<Found> {
  const ask = async <T>({ id, script, deadlineMs, parse }: Fact<T>): Promise<T> => {
    const { code, stdout, stderr } = await on.exec(['sh', '-c', script], { deadlineMs, signal })
    const untold = (why: string) =>
      new Failure(`${on.node} does not tell its ${id}.`, {
        exit: EXIT.preflight,
        why,
        next: 'Is it a Debian machine? With --offline the file is written without asking.',
      })
    if (code !== 0) throw untold(stderr.trim().split('\n').at(-1) || `exit code ${code}`)
    try {
      return parse(stdout)
    } catch (thrown) {
      throw untold(reasonOf(thrown))
    }
  }
  const [who, links, { totalBytes, cpus }, disks, makers] = await Promise.all([
    ask(identity),
    ask(network),
    ask(memory),
    ask(freeDisks),
    ask(gpus),
  ])
  return {
    hostname: who.hostname,
    addresses: links
      .filter(link => link.up)
      .flatMap(link => link.addresses.map(({ address }) => address))
      .filter(address => !address.includes(':') && !address.startsWith('127.')),
    memoryBytes: totalBytes,
    cpus,
    disks,
    gpus: makers,
  }
}
