import { expect, test } from 'vitest'
import { gpus } from '../../../src/provision/check/gpus.ts'
import type { Card, Gpus, Told } from '../../../src/provision/gpus/card.ts'
import type { Smi } from '../../../src/provision/gpus/nvidia-smi.ts'
import { findings, siteOf } from './site.ts'

const H200: Card = {
  at: '0000:17:00.0',
  vendor: 'nvidia',
  id: '10de:2335',
  driver: 'nvidia',
  integrated: false,
}
const TOLD: Told = {
  at: H200.at,
  name: 'NVIDIA H200',
  memoryBytes: 143_771 * 2 ** 20,
  driverVersion: '550.127.05',
}
const WELL: Gpus = {
  cards: [H200],
  modules: { nvidia: '550.127.05' },
  devices: ['/dev/nvidia0', '/dev/nvidiactl', '/dev/nvidia-uvm'],
}
const bare = { ...H200, driver: undefined } as unknown as Card

/** What is said of one worker with these answers. */
function said(bus: Gpus | Error, smi: Smi | Error = 'absent'): string[] {
  const site = siteOf([], { nodes: ['roles: [control]', 'roles: [worker]'] })
  return findings(gpus, site, (_, fact) => (fact.id === 'gpus' ? bus : smi)).map(
    ({ level, node, says, fix }) => `${level} ${node}: ${says}${fix ? ` | ${fix}` : ''}`,
  )
}

const INSTALL = "Install NVIDIA's driver, 550 or later, from NVIDIA's repository for Debian, and reboot."

test.each<[string, Gpus, Smi, string]>([
  [
    'all is well',
    WELL,
    { cards: [{ ...TOLD, computeCapability: '9.0', split: false }] },
    'ok n2: It has 1 NVIDIA H200 of 140 GiB, driver 550.127.05.',
  ],
  [
    'no program of the vendor is there',
    WELL,
    'absent',
    'ok n2: It has 1 NVIDIA card (10de:2335) of unknown memory, driver 550.127.05.',
  ],
  [
    'there is no card',
    { cards: [], modules: {}, devices: [] },
    'absent',
    'ok n2: It has no graphics card: models run on its processors.',
  ],
  [
    'there is only what is part of the processor',
    {
      cards: [{ at: '0000:00:02.0', vendor: 'intel', id: '8086:3e92', driver: 'i915', integrated: true }],
      modules: { i915: '' },
      devices: [],
    },
    'absent',
    'ok n2: It has no graphics card: models run on its processors.',
  ],
  [
    'there is no driver',
    { cards: [bare, { ...bare, at: '0000:18:00.0' }], modules: {}, devices: [] },
    'absent',
    `warn n2: It has 2 NVIDIA card (10de:2335) of unknown memory and no driver: models run on its processors. | ${INSTALL}`,
  ],
  [
    'nouveau is loaded',
    { cards: [{ ...H200, driver: 'nouveau' }], modules: { nouveau: '' }, devices: [] },
    'absent',
    `warn n2: It has 1 NVIDIA card (10de:2335) of unknown memory under nouveau, which can only show pictures: models run on its processors. | ${INSTALL}`,
  ],
  [
    'the driver is too old',
    { ...WELL, modules: { nvidia: '535.247.01' } },
    { cards: [{ ...TOLD, driverVersion: '535.247.01' }] },
    `warn n2: Its driver of 1 NVIDIA H200 of 140 GiB is 535.247.01; Ollama wants 550 or later. | ${INSTALL}`,
  ],
  [
    'the driver is too old for an old card',
    WELL,
    { cards: [{ ...TOLD, name: 'Tesla P40', memoryBytes: 24 * 2 ** 30, computeCapability: '6.1' }] },
    `warn n2: Its driver of 1 Tesla P40 of 24 GiB is 550.127.05; Ollama wants 570 or later. | ${INSTALL}`,
  ],
  [
    'nvidia-smi fails',
    WELL,
    { failed: 'Failed to initialize NVML: Driver/library version mismatch' },
    'warn n2: It has 1 NVIDIA card (10de:2335) of unknown memory with driver 550.127.05, and nvidia-smi fails: Failed to initialize NVML: Driver/library version mismatch. | Where the driver was just upgraded, reboot. `dmesg` says what the card complains of.',
  ],
  [
    'the card is cut into parts',
    WELL,
    { cards: [{ ...TOLD, split: true }] },
    'warn n2: It has 1 NVIDIA H200 of 140 GiB, of which 1 is cut into parts (MIG): what these parts are is not known. | Switch MIG off where the whole card is to answer: `nvidia-smi -mig 0`.',
  ],
  [
    'no program reaches the driver',
    { ...WELL, devices: [] },
    { cards: [TOLD] },
    'warn n2: It has 1 NVIDIA H200 of 140 GiB with driver 550.127.05, and no /dev/nvidiactl: no program reaches it. | Run `nvidia-modprobe -u -c=0`, or install nvidia-persistenced, which does so at each start.',
  ],
])('%s', (_, bus, smi, expected) => {
  expect(said(bus, smi)).toEqual([expected])
})

test('cards of several vendors in one node are told one by one', () => {
  const amd: Card = {
    at: '0000:65:00.0',
    vendor: 'amd',
    id: '1002:74a1',
    memoryBytes: 192 * 2 ** 30,
    integrated: false,
  }
  const bus = {
    ...WELL,
    cards: [
      H200,
      { ...amd, driver: 'amdgpu' },
      { ...amd, at: '0000:66:00.0', vendor: 'intel' as const, id: '8086:e20b' },
    ],
  }
  expect(said(bus, { cards: [TOLD] })).toEqual([
    'ok n2: It has 1 NVIDIA H200 of 140 GiB, driver 550.127.05.',
    'ok n2: It has 1 AMD card (1002:74a1) of 192 GiB, driver amdgpu.',
    'warn n2: It has 1 Intel card (8086:e20b) of 192 GiB and no driver: models run on its processors. | Install its driver (xe or i915), and reboot.',
  ])
})

test('a program that hangs is not a machine without cards', () => {
  expect(said(WELL, new Error('no answer within 15 s'))).toEqual([
    'warn n2: It has 1 NVIDIA card (10de:2335) of unknown memory with driver 550.127.05, and nvidia-smi fails: no answer within 15 s. | Where the driver was just upgraded, reboot. `dmesg` says what the card complains of.',
  ])
})
