import type { Fact } from '../facts/fact.ts'
import { linesOf, whole } from '../facts/fields.ts'
import type { Card, Gpus, Vendor } from './card.ts'

const VENDORS: Record<string, Vendor> = { '0x10de': 'nvidia', '0x1002': 'amd', '0x8086': 'intel' }

// Classes: 0300 VGA, 0302 3D (datacenter cards), 0380 other displays (AMD's datacenter cards), 1200 processing accelerators.
export const gpus: Fact<Gpus> = {
  id: 'gpus',
  deadlineMs: 5_000,
  script: `for card in /sys/bus/pci/devices/*; do
  [ -r "$card/class" ] && read -r class <"$card/class" || continue
  case $class in 0x0300*|0x0302*|0x0380*|0x1200*) ;; *) continue ;; esac
  read -r vendor <"$card/vendor" && read -r device <"$card/device" || exit
  driver=
  [ ! -e "$card/driver" ] || driver=$(readlink "$card/driver") || exit
  memory=
  [ ! -r "$card/mem_info_vram_total" ] || read -r memory <"$card/mem_info_vram_total"
  printf 'card=%s,%s,%s,%s,%s\\n' "\${card##*/}" "$vendor" "$device" "\${driver##*/}" "$memory"
done
for module in nvidia nouveau amdgpu xe i915; do
  [ -d "/sys/module/$module" ] || continue
  version=
  [ ! -r "/sys/module/$module/version" ] || read -r version <"/sys/module/$module/version"
  printf 'module=%s,%s\\n' "$module" "$version"
done
for device in /dev/nvidia[0-9]* /dev/nvidiactl /dev/nvidia-uvm /dev/kfd /dev/dri/renderD*; do
  [ ! -c "$device" ] || printf 'device=%s\\n' "$device"
done
echo end=`,
  parse(stdout) {
    const said: Gpus = { cards: [], modules: {}, devices: [] }
    const lines = linesOf(stdout)
    if (lines.pop() !== 'end=') throw new Error('it did not come to its end')
    for (const line of lines) {
      const [, kind, value] = /^(card|module|device)=(.*)$/.exec(line) ?? []
      if (kind === 'card') said.cards.push(...cardIn(value!))
      else if (kind === 'module') {
        const [name, version] = value!.split(',')
        said.modules[name!] = version ?? ''
      } else if (kind === 'device') said.devices.push(value!)
      else throw new Error(`${JSON.stringify(line)} is not understood`)
    }
    return said
  },
}

/** Nothing for a card of another vendor, such as the screen of a server's management. */
function cardIn(line: string): Card[] {
  const [at, vendorId, deviceId, driver, memory] = line.split(',')
  const found = /^0x([0-9a-f]{4}),0x([0-9a-f]{4})$/.exec(`${vendorId},${deviceId}`)
  if (!at || !found) throw new Error(`${JSON.stringify(line)} is no card`)
  const vendor = VENDORS[vendorId!]
  if (!vendor) return []
  const memoryBytes = memory ? whole(memory) : undefined
  return [
    {
      at,
      vendor,
      id: `${found[1]}:${found[2]}`,
      ...(driver && { driver }),
      ...(memoryBytes !== undefined && { memoryBytes }),
      integrated: isIntegrated(at, vendor),
    },
  ]
}

/** Intel's own lies at one fixed place. AMD's tells its share of the machine's memory as if it were its own, and cannot be told apart by its place. */
const isIntegrated = (at: string, vendor: Vendor) => vendor === 'intel' && at.endsWith(':00:02.0')
