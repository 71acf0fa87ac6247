import { describe, expect, test } from 'vitest'
import {
  contains,
  endOf,
  familyOf,
  isHostName,
  overlap,
  startOf,
} from '../../../src/provision/cluster/addresses.ts'
import { FORMATS } from '../../../src/provision/cluster/schema/formats.ts'

const network = (text: string) => {
  const [address = '', length] = text.split('/')
  return { address, prefixLength: Number(length) }
}

test.each([
  ['10.0.0.10/24', '10.0.0.0', '10.0.0.255'],
  ['10.0.0.10/32', '10.0.0.10', '10.0.0.10'],
  ['10.0.0.10/0', '0.0.0.0', '255.255.255.255'],
  ['192.168.77.5/20', '192.168.64.0', '192.168.79.255'],
  ['fd00::a:5/112', 'fd00::a:0', 'fd00::a:ffff'],
  ['::/0', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['64:ff9b::192.0.2.33/96', '64:ff9b::', '64:ff9b::ffff:ffff'],
])('%s goes from %s to %s', (text, start, end) => {
  expect([startOf(network(text)), endOf(network(text))]).toEqual([start, end])
})

test('an address is in a network of its own family only', () => {
  expect(contains(network('10.0.0.0/8'), '10.255.0.1')).toBe(true)
  expect(contains(network('10.0.0.0/8'), '11.0.0.1')).toBe(false)
  expect(contains(network('10.0.0.0/8'), '::ffff:10.0.0.1')).toBe(false)
  expect(contains(network('0.0.0.0/0'), 'node1.example.org')).toBe(false)
})

test('networks overlap when one lies in the other', () => {
  expect(overlap(network('10.0.0.0/8'), network('10.1.0.0/16'))).toBe(true)
  expect(overlap(network('10.1.0.0/16'), network('10.0.0.0/8'))).toBe(true)
  expect(overlap(network('10.0.0.0/24'), network('10.0.1.0/24'))).toBe(false)
})

test('an address that is nearly one is neither address nor name', () => {
  for (const text of [
    '10.0.0.256',
    '10.0.0',
    '1',
    '010.0.0.1',
    'a..b',
    '-a',
    'a-',
    'a b',
    '',
    'fe80::1%eth0',
  ])
    expect([text, familyOf(text), isHostName(text)]).toEqual([text, undefined, false])
})

describe('a unit', () => {
  test.each([
    ['time-span', '90s', 90_000, '90s'],
    ['time-span', '120s', 120_000, '2m'],
    ['time-span', '48h', 172_800_000, '2d'],
    ['time-span', '0h', 0, '0ms'],
    ['byte-size', '100GiB', 107_374_182_400, '100GiB'],
    ['byte-size', '1024MiB', 2 ** 30, '1GiB'],
    ['byte-size', '1B', 1, '1B'],
    ['percentage', '80%', 80, '80%'],
  ] as const)('%s: %s is %d, written %s', (format, text, value, written) => {
    expect(FORMATS[format].read(text).value).toBe(value)
    expect(FORMATS[format].write(value)).toBe(written)
  })

  test.each([
    ['time-span', ['1', '1 s', '-1s', '1.5h', '1w', 's', '999999999999d']],
    ['byte-size', ['1', '1GB', '1gib', '1.5GiB', '999999999999TiB', '1 GiB']],
    ['percentage', ['101%', '-1%', '80', '8.5%', '%']],
    ['span', ['2', '2..', '2...4', 'a..b', '4..2']],
    ['network', ['10.0.0.0', '10.0.0.0/33', '10.0.0.1/24', 'a/8', '::/129']],
    ['address-in-network', ['10.0.0.1', '10.0.0.1/33', '/24']],
    ['url', ['ftp://a', 'http://', 'http://u:p@h/', 'http://u@h/', 'http://a b/', 'mirror.example.org']],
  ] as const)('%s is none of %j', (format, texts) => {
    for (const text of texts) expect([text, FORMATS[format].read(text).value]).toEqual([text, undefined])
  })
})
