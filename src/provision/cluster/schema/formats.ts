import { SocketAddress } from 'node:net'
import { familyOf, isHostName, type Network, networkText, prefixBits, startOf } from '../addresses.ts'

/** A value; without one the text is wrong, for the format's own reason or for this one. */
export interface Reading {
  value?: unknown
  says?: string
  fix?: string
}

/** One way to write a value as text. `read` gives numbers and plain data; `write` is its inverse. */
export interface Format {
  /** Ends `must be ...`. */
  says: string
  /** Appended to the field's name, so that a number carries its unit: `minFree` becomes `minFreeBytes`. */
  suffix: '' | 'Ms' | 'Bytes' | 'Percent'
  /** For editors; `read` decides. */
  pattern?: string
  read(text: string): Reading
  write(value: never): string
}

const DURATIONS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
const SIZES = { TiB: 2 ** 40, GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10, B: 1 }

export const FORMATS = {
  'time-span': quantity('a duration such as 500ms, 30s, 10m, 24h or 7d', 'Ms', DURATIONS),
  'byte-size': quantity('a size such as 512MiB, 16GiB or 2TiB', 'Bytes', SIZES),
  percentage: {
    says: 'a percentage from 0% to 100%',
    suffix: 'Percent',
    pattern: '^(\\d{1,2}|100)%$',
    read: text => (/^(\d{1,2}|100)%$/.test(text) ? { value: Number(text.slice(0, -1)) } : {}),
    write: (percent: number) => `${percent}%`,
  },
  span: {
    says: 'a range such as 2..4',
    suffix: '',
    pattern: '^\\d{1,4}\\.\\.\\d{1,4}$',
    read: readSpan,
    write: (span: { min: number; max: number }) => `${span.min}..${span.max}`,
  },
  network: {
    says: 'a network such as 10.0.0.0/24',
    suffix: '',
    read: readNetwork,
    write: networkText,
  },
  'address-in-network': {
    says: 'an address with its prefix length such as 10.0.0.10/24',
    suffix: '',
    read: text => ({ value: split(text) }),
    write: networkText,
  },
  address: {
    says: 'an IP address or a host name',
    suffix: '',
    read: readAddress,
    write: (address: string) => address,
  },
  url: {
    says: 'a URL such as https://mirror.example.org/debian',
    suffix: '',
    pattern: '^(https?|s3)://[^\\s]+$',
    read: readUrl,
    write: (url: string) => url,
  },
} as const satisfies Record<string, Format>

export type FormatName = keyof typeof FORMATS

/** Written in the largest unit that holds the number exactly. */
function quantity<S extends 'Ms' | 'Bytes'>(says: string, suffix: S, units: Record<string, number>) {
  const pattern = `^\\d{1,12}(${Object.keys(units).join('|')})$`
  const shape = new RegExp(pattern)
  return {
    says,
    suffix,
    pattern,
    read(text: string): Reading {
      const unit = shape.exec(text)?.[1]
      const value = Number.parseInt(text, 10) * (units[unit ?? ''] ?? Number.NaN)
      return Number.isSafeInteger(value) ? { value } : {}
    },
    write(value: number): string {
      const [unit, size] =
        value === 0
          ? Object.entries(units).at(-1)!
          : Object.entries(units).find(([, one]) => value % one === 0)!
      return `${value / size}${unit}`
    },
  }
}

function readSpan(text: string): Reading {
  const [, min, max] = /^(\d{1,4})\.\.(\d{1,4})$/.exec(text) ?? []
  if (min === undefined || max === undefined) return {}
  if (Number(min) > Number(max)) return { says: 'must not end below its start', fix: `Write ${max}..${min}.` }
  return { value: { min: Number(min), max: Number(max) } }
}

function readNetwork(text: string): Reading {
  const network = split(text)
  if (!network) return {}
  const start = startOf(network)
  if (start === network.address) return { value: network }
  return {
    says: 'is an address inside a network, not a network',
    fix: `Write ${start}/${network.prefixLength}.`,
  }
}

function split(text: string): Network | undefined {
  const [, address = '', length] = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = familyOf(address)
  if (!family || Number(length) > prefixBits(family)) return undefined
  return { address: canonical(address, family), prefixLength: Number(length) }
}

function readAddress(text: string): Reading {
  const family = familyOf(text)
  if (family) return { value: canonical(text, family) }
  return isHostName(text) ? { value: text.toLowerCase() } : {}
}

/** One address has one spelling afterwards: `2001:DB8:0::1` and `2001:db8::1` are equal. */
const canonical = (address: string, family: 'ipv4' | 'ipv6') => new SocketAddress({ address, family }).address

function readUrl(text: string): Reading {
  if (!/^(https?|s3):\/\/\S+$/.test(text) || !URL.canParse(text)) return {}
  const { username, password } = new URL(text)
  if (!username && !password) return { value: text }
  return { says: 'must not hold a user or password', fix: 'This file holds no secrets: take it out.' }
}
