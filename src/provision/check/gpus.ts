import type { Finding } from '../components/component.ts'
import { gpus as fact } from '../gpus/fact.ts'
import { nvidiaSmi } from '../gpus/nvidia-smi.ts'
import { type Seen, type SeenGpus, seenGpus } from '../gpus/seen.ts'
import { type Concern, naming, untold } from './concern.ts'
import { size } from './units.ts'

/** What Ollama asks of NVIDIA's driver; cards of compute capability 5.0 to 6.2 want 570. */
const NVIDIA_LEAST = 550
const NVIDIA_OLD_CARDS = { least: 570, from: 5, to: 6.2 }

/** Whether the cards of workers can be used. A node without any is a worker, too. */
export const gpus: Concern = {
  name: 'gpus',
  facts: (_, node) => (node.roles.includes('worker') ? [fact, nvidiaSmi] : []),
  judge: ({ nodes }, facts) =>
    nodes
      .filter(({ roles }) => roles.includes('worker'))
      .flatMap((node): Finding[] => {
        const said = seenGpus(node.name, facts)
        if ('why' in said) return [untold(node, { what: 'which graphics cards it has', why: said.why })]
        return judgeCards(said.seen).map(finding => ({ ...finding, node: node.name }))
      }),
}

function judgeCards(seen: SeenGpus): Omit<Finding, 'node'>[] {
  const cards = seen.cards.filter(card => !card.integrated)
  if (cards.length === 0)
    return [{ level: 'ok', says: 'It has no graphics card: models run on its processors.' }]
  const nvidia = cards.filter(({ vendor }) => vendor === 'nvidia')
  const others = cards.filter(({ vendor }) => vendor !== 'nvidia')
  return [...(nvidia.length > 0 ? judgeNvidia(nvidia, seen) : []), ...others.flatMap(judgeOther)]
}

function judgeNvidia(cards: Seen[], { modules, devices, smiFailed }: SeenGpus): Omit<Finding, 'node'>[] {
  const named = inWords(cards)
  const install = `Install NVIDIA's driver, ${NVIDIA_LEAST} or later, from NVIDIA's repository for Debian, and reboot.`
  const version = modules['nvidia'] || cards.find(card => card.driverVersion)?.driverVersion
  if (!('nvidia' in modules)) {
    const says =
      'nouveau' in modules
        ? `It has ${named} under nouveau, which can only show pictures: models run on its processors.`
        : `It has ${named} and no driver: models run on its processors.`
    return [{ level: 'warn', says, fix: install }]
  }
  const least = leastFor(cards)
  if (version && Number.parseInt(version, 10) < least)
    return [
      {
        level: 'warn',
        says: `Its driver of ${named} is ${version}; Ollama wants ${least} or later.`,
        fix: install,
      },
    ]
  if (smiFailed)
    return [
      {
        level: 'warn',
        says: `It has ${named} with driver ${version || 'of unknown version'}, and nvidia-smi fails: ${smiFailed.replace(/\.$/, '')}.`,
        fix: 'Where the driver was just upgraded, reboot. `dmesg` says what the card complains of.',
      },
    ]
  const split = cards.filter(card => card.split)
  if (split.length > 0)
    return [
      {
        level: 'warn',
        says: `It has ${named}, of which ${split.length} ${split.length === 1 ? 'is' : 'are'} cut into parts (MIG): what these parts are is not known.`,
        fix: 'Switch MIG off where the whole card is to answer: `nvidia-smi -mig 0`.',
      },
    ]
  if (!devices.includes('/dev/nvidiactl'))
    return [
      {
        level: 'warn',
        says: `It has ${named} with driver ${version}, and no /dev/nvidiactl: no program reaches it.`,
        fix: 'Run `nvidia-modprobe -u -c=0`, or install nvidia-persistenced, which does so at each start.',
      },
    ]
  return [{ level: 'ok', says: `It has ${named}${version ? `, driver ${version}` : ''}.` }]
}

function judgeOther(card: Seen): Omit<Finding, 'node'>[] {
  const named = inWords([card])
  if (card.driver) return [{ level: 'ok', says: `It has ${named}, driver ${card.driver}.` }]
  const wanted = card.vendor === 'amd' ? 'amdgpu, with firmware-amd-graphics' : 'xe or i915'
  return [
    {
      level: 'warn',
      says: `It has ${named} and no driver: models run on its processors.`,
      fix: `Install its driver (${wanted}), and reboot.`,
    },
  ]
}

function leastFor(cards: Seen[]): number {
  const { from, to, least } = NVIDIA_OLD_CARDS
  const old = cards.some(({ computeCapability }) => {
    const capability = Number(computeCapability)
    return capability >= from && capability <= to
  })
  return old ? least : NVIDIA_LEAST
}

/** `2 NVIDIA H200 of 140 GiB and an AMD card (1002:74a1) of unknown memory`. */
function inWords(cards: Seen[]): string {
  const kinds = new Map<string, number>()
  for (const card of cards) kinds.set(kindOf(card), (kinds.get(kindOf(card)) ?? 0) + 1)
  return naming([...kinds].map(([kind, count]) => (count === 1 ? `1 ${kind}` : `${count} ${kind}`)))
}

const VENDORS = { nvidia: 'NVIDIA', amd: 'AMD', intel: 'Intel' }

function kindOf({ name, vendor, id, memoryBytes }: Seen): string {
  const what = name ?? `${VENDORS[vendor]} card (${id})`
  return `${what} of ${memoryBytes === undefined ? 'unknown memory' : size(memoryBytes)}`
}
