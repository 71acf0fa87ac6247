import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { gpus } from '../../../src/provision/gpus/fact.ts'
import { nvidiaSmi } from '../../../src/provision/gpus/nvidia-smi.ts'
import { tempFolder } from '../../helpers/temp.ts'

const GIB = 2 ** 30

/** The script of a fact, by a real shell; `root` stands for where the kernel shows devices, `path` for the programs. */
function run(script: string, o: { root?: string; path?: string } = {}) {
  const text = o.root ? script.replaceAll('/sys/', `${o.root}/sys/`) : script
  const PATH = [o.path, '/usr/bin', '/bin'].filter(Boolean).join(':')
  return spawnSync('sh', ['-c', text], { env: { PATH, LC_ALL: 'C.UTF-8' }, encoding: 'utf8' })
}

/** /sys as the kernel shows these devices of the bus. */
function sysOf(
  devices: Record<
    string,
    { class: string; vendor: string; device: string; driver?: string; memory?: string }
  >,
  modules: Record<string, string | undefined> = {},
): string {
  const root = tempFolder()
  mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true })
  for (const [at, { driver, memory, ...files }] of Object.entries(devices)) {
    const folder = join(root, 'sys/bus/pci/devices', at)
    mkdirSync(folder)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`)
    if (driver) {
      mkdirSync(join(root, 'drivers', driver), { recursive: true })
      symlinkSync(join(root, 'drivers', driver), join(folder, 'driver'))
    }
    if (memory) writeFileSync(join(folder, 'mem_info_vram_total'), `${memory}\n`)
  }
  for (const [name, version] of Object.entries(modules)) {
    mkdirSync(join(root, 'sys/module', name), { recursive: true })
    if (version) writeFileSync(join(root, 'sys/module', name, 'version'), `${version}\n`)
  }
  return root
}

test('cards are found on the bus, each with its driver, and nothing else that sits there', () => {
  const root = sysOf(
    {
      '0000:00:02.0': { class: '0x030000', vendor: '0x8086', device: '0x3e92', driver: 'i915' },
      '0000:00:1f.6': { class: '0x020000', vendor: '0x8086', device: '0x15bb', driver: 'e1000e' },
      '0000:03:00.0': { class: '0x030000', vendor: '0x1a03', device: '0x2000', driver: 'ast' },
      '0000:17:00.0': { class: '0x030200', vendor: '0x10de', device: '0x2335', driver: 'nvidia' },
      '0000:65:00.0': {
        class: '0x038000',
        vendor: '0x1002',
        device: '0x74a1',
        driver: 'amdgpu',
        memory: String(192 * GIB),
      },
      '0000:b3:00.0': { class: '0x030000', vendor: '0x8086', device: '0xe20b' },
    },
    { nvidia: '550.127.05', amdgpu: undefined, i915: undefined },
  )
  const said = run(gpus.script, { root })
  expect(said.status, said.stderr).toBe(0)
  expect(gpus.parse(said.stdout)).toEqual({
    cards: [
      { at: '0000:00:02.0', vendor: 'intel', id: '8086:3e92', driver: 'i915', integrated: true },
      { at: '0000:17:00.0', vendor: 'nvidia', id: '10de:2335', driver: 'nvidia', integrated: false },
      {
        at: '0000:65:00.0',
        vendor: 'amd',
        id: '1002:74a1',
        driver: 'amdgpu',
        memoryBytes: 192 * GIB,
        integrated: false,
      },
      { at: '0000:b3:00.0', vendor: 'intel', id: '8086:e20b', integrated: false },
    ],
    modules: { nvidia: '550.127.05', amdgpu: '', i915: '' },
    devices: expect.any(Array),
  })
})

test('a machine without a PCI bus has no cards', () => {
  const said = run(gpus.script, { root: tempFolder() })
  expect(said.status, said.stderr).toBe(0)
  expect(gpus.parse(said.stdout)).toMatchObject({ cards: [], modules: {} })
})

test('on this machine the question is answered', () => {
  const said = run(gpus.script)
  expect(said.status, said.stderr).toBe(0)
  expect(gpus.parse(said.stdout).cards.every(({ at }) => at.length > 0)).toBe(true)
})

test.each([
  ['cut', 'card=0000:17:00.0,0x10de,0x2335,nvidia,\n'],
  ['not a card', 'card=0000:17:00.0,nvidia\nend=\n'],
  ['another line', 'Segmentation fault\nend=\n'],
])('an answer that is %s is unknown, and not a machine without cards', (_, text) => {
  expect(() => gpus.parse(text)).toThrow()
})

/** A stand-in for nvidia-smi that prints `says` and ends with `code`, or is put together by `body`. */
function smi(o: { says?: string; code?: number; body?: string }): string {
  const folder = tempFolder()
  const file = join(folder, 'nvidia-smi')
  writeFileSync(file, `#!/bin/sh\n${o.body ?? `cat <<'END'\n${o.says}\nEND\nexit ${o.code ?? 0}`}\n`)
  chmodSync(file, 0o755)
  return folder
}

const answer = (path?: string) => {
  const said = run(nvidiaSmi.script, { path })
  expect(said.status, said.stderr).toBe(0)
  return nvidiaSmi.parse(said.stdout)
}

// The values are those of public reports: memory of H200 and H100 in MiB, GB10 without any (its own documentation names it), MIG's words, and
// what the program says when it fails. The lines were put together of them.
test('nvidia-smi tells names and memory of unlike cards', () => {
  const says = [
    '00000000:17:00.0, GPU-5a1f3c2e-0000-4e4e-9c5e-2d6f1f8a7b01, NVIDIA H200, 143771, 143167, 550.127.05, Disabled, 9.0',
    '00000000:65:00.0, GPU-0c9d2b7a-0000-4b1d-8f3a-7e5d4c3b2a10, NVIDIA GeForce RTX 4090, 24564, 24111, 550.127.05, [N/A], 8.9',
  ].join('\n')
  expect(answer(smi({ says }))).toEqual({
    cards: [
      {
        at: '0000:17:00.0',
        uuid: 'GPU-5a1f3c2e-0000-4e4e-9c5e-2d6f1f8a7b01',
        name: 'NVIDIA H200',
        memoryBytes: 143_771 * 2 ** 20,
        freeBytes: 143_167 * 2 ** 20,
        driverVersion: '550.127.05',
        split: false,
        computeCapability: '9.0',
      },
      {
        at: '0000:65:00.0',
        uuid: 'GPU-0c9d2b7a-0000-4b1d-8f3a-7e5d4c3b2a10',
        name: 'NVIDIA GeForce RTX 4090',
        memoryBytes: 24_564 * 2 ** 20,
        freeBytes: 24_111 * 2 ** 20,
        driverVersion: '550.127.05',
        computeCapability: '8.9',
      },
    ],
  })
})

test.each([
  ['[N/A]', '0000000F:01:00.0, GPU-1, NVIDIA GB10, [N/A], [N/A], 580.126.09, [N/A], 12.1'],
  [
    'Not Supported',
    '0000000F:01:00.0, GPU-1, NVIDIA GB10, [Not Supported], [Not Supported], 580.126.09, [N/A], 12.1',
  ],
  ['0', '0000000F:01:00.0, GPU-1, NVIDIA GB10, 0, [N/A], 580.126.09, [N/A], 12.1'],
])('memory that is told as %s is unknown, and not zero', (_, says) => {
  expect(answer(smi({ says }))).toEqual({
    cards: [
      {
        at: '000f:01:00.0',
        uuid: 'GPU-1',
        name: 'NVIDIA GB10',
        driverVersion: '580.126.09',
        computeCapability: '12.1',
      },
    ],
  })
})

test('a card that is cut into parts says so', () => {
  const says = '00000000:17:00.0, GPU-1, NVIDIA A100-SXM4-80GB, 81920, 81037, 550.54.15, Enabled, 8.0'
  expect(answer(smi({ says }))).toMatchObject({ cards: [{ split: true }] })
})

test('a driver that knows no compute capability is asked without it', () => {
  const body = `case $1 in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2 ;; esac
echo '00000000:01:00.0, GPU-1, Tesla T4, 15109, 14500, 470.256.02, [N/A]'`
  expect(answer(smi({ body }))).toEqual({
    cards: [
      {
        at: '0000:01:00.0',
        uuid: 'GPU-1',
        name: 'Tesla T4',
        memoryBytes: 15_109 * 2 ** 20,
        freeBytes: 14_500 * 2 ** 20,
        driverVersion: '470.256.02',
      },
    ],
  })
})

test.each([
  [
    9,
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
  ],
  [18, 'Failed to initialize NVML: Driver/library version mismatch'],
  [4, 'Failed to initialize NVML: Insufficient Permissions'],
])('one that ends with %i is heard, and is not a machine without cards', (code, says) => {
  expect(answer(smi({ says, code }))).toEqual({ failed: says })
})

test('no such program, and no device found, are two answers', () => {
  expect(answer()).toBe('absent')
  expect(answer(smi({ says: 'No devices were found' }))).toEqual({ cards: [] })
})

test.each(['', 'told\nGPU 0: NVIDIA H200\n', 'sh: 1: cannot fork\n'])('%j is not understood', text => {
  expect(() => nvidiaSmi.parse(text)).toThrow()
})
