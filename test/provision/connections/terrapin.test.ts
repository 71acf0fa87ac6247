import { expect, test } from 'vitest'
import { isStrict, terrapin } from '../../../src/provision/connections/terrapin.ts'
import { Bench, story, targetOf } from './place.ts'

const bench = new Bench()

const agreed = (cipher: string, mac = '') => ({
  cs: { cipher, mac },
  sc: { cipher: 'aes128-gcm@openssh.com', mac: '' },
})

test.each([
  ['chacha20-poly1305@openssh.com', '', 'chacha20-poly1305@openssh.com'],
  ['aes256-cbc', 'hmac-sha2-256-etm@openssh.com', 'aes256-cbc with hmac-sha2-256-etm@openssh.com'],
  ['aes256-cbc', 'hmac-sha2-256', undefined],
  ['aes128-ctr', 'hmac-sha2-256-etm@openssh.com', undefined],
  ['aes128-gcm@openssh.com', '', undefined],
])('%s %s without strict key exchange: %s', (cipher, mac, weak) => {
  expect(terrapin(agreed(cipher, mac), false)).toBe(weak)
  expect(terrapin(agreed(cipher, mac), true)).toBeUndefined()
})

test('a client that does not say whether it was strict is not warned of', () => {
  expect(isStrict({})).toBe(true)
  expect(isStrict({ _protocol: {} })).toBe(true)
  expect(isStrict({ _protocol: { _strictMode: undefined } })).toBe(false)
})

story('an sshd that knows strict key exchange is not warned of, whatever the cipher', async () => {
  const sshd = await bench.sshd({ options: ['Ciphers chacha20-poly1305@openssh.com'] })
  const weak: string[] = []
  const connections = bench.connections({ knownHosts: sshd.knownHosts(), onWeak: o => weak.push(o.weak) })
  const on = await connections.to(targetOf(sshd))
  expect(await on.exec(['true'], { deadlineMs: 10_000 })).toMatchObject({ code: 0 })
  expect(weak).toEqual([])
})
