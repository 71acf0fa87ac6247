import { disks } from '../../../src/provision/disks/fact.ts'
import { aptLocks } from '../../../src/provision/facts/apt-locks.ts'
import { archives } from '../../../src/provision/facts/archive.ts'
import { clock } from '../../../src/provision/facts/clock.ts'
import type { Fact } from '../../../src/provision/facts/fact.ts'
import { fsync } from '../../../src/provision/facts/fsync.ts'
import { identity } from '../../../src/provision/facts/identity.ts'
import { listeners } from '../../../src/provision/facts/listeners.ts'
import { memory } from '../../../src/provision/facts/memory.ts'
import { names } from '../../../src/provision/facts/names.ts'
import { network } from '../../../src/provision/facts/network.ts'
import { os } from '../../../src/provision/facts/os.ts'
import { reach } from '../../../src/provision/facts/reach.ts'
import { reboot } from '../../../src/provision/facts/reboot.ts'
import { space } from '../../../src/provision/facts/space.ts'

/** The facts whose answers were captured, by the name of the file. */
export const asked: Record<string, Fact<unknown>> = {
  os,
  clock,
  memory,
  space: space(['/var/lib/ollama', '/srv/not/there/yet']),
  network,
  identity,
  names: names(['n1', 'n1.halle.internal', 'localhost', 'no-such.invalid']),
  reboot,
  disks,
  listeners,
  fsync,
  'apt-locks': aptLocks,
  archives: archives(),
  mirror: archives({ mirror: 'http://127.0.0.1:9/debian/' }),
  reach: reach([
    { address: '127.0.0.1', port: 22 },
    { address: '127.0.0.1', port: 7420 },
    { address: '255.255.255.255', port: 22 },
  ]),
}

/** When the captured clocks were read. */
export const HEARD_MS = Date.UTC(2026, 10, 22, 18, 30)
