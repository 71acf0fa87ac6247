import type { Network } from './bridge.ts'
import type { Place } from './place.ts'

/** How one kind of node comes to life: a container or a virtual machine. */
export interface Machine {
  /** How long a boot may take on a busy host. */
  deadlineMs: number
  /** Before each boot, behind the fence. */
  prepare(place: Place): Promise<void>
  argv(place: Place, network: Network): string[]
  /** Puts its network cable in, where the program does not do it. */
  connect(place: Place, network: Network): Promise<void>
  runs(place: Place): boolean
  /** Whether ordinary users may log in, once sshd answers. */
  letsIn(place: Place): Promise<boolean>
  /** Returns when the boot that was is over. */
  shutDownToReboot(place: Place): Promise<void>
  /** Gives it a disk that was just made, now or at its next boot. */
  addDisk(place: Place, disk: string): void
}
