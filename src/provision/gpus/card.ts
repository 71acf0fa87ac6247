export type Vendor = 'nvidia' | 'amd' | 'intel'

/** A graphics card, or an accelerator without a screen, as the PCI bus shows it: nothing need be installed for that. */
export interface Card {
  /** Its place on the bus: `0000:01:00.0`. */
  at: string
  vendor: Vendor
  /** Vendor and device: `10de:2335`. */
  id: string
  /** The kernel's module that serves it; undefined where none does. */
  driver?: string
  /** Its own memory, where its driver tells it on the bus, as AMD's does. */
  memoryBytes?: number
  /** Part of the processor: it has no memory of its own. */
  integrated: boolean
}

/** What a node says of its cards without any program of a vendor. */
export interface Gpus {
  cards: Card[]
  /** Versions of loaded modules: `nvidia`, `nouveau`, `amdgpu`, `xe`, `i915`. Empty where a module has none of its own. */
  modules: Record<string, string>
  /** Device files, such as /dev/nvidia0, /dev/kfd and /dev/dri/renderD128. */
  devices: string[]
}

/** What a program of the vendor adds. What it could not tell is undefined, and never 0. */
export interface Told {
  at: string
  uuid?: string
  name?: string
  memoryBytes?: number
  freeBytes?: number
  /** `9.0`. */
  computeCapability?: string
  driverVersion?: string
  /** Cut into parts of its own memory (MIG): as a whole it serves nobody. */
  split?: boolean
}
