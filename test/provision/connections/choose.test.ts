import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { choose, type Traits } from '../../../src/provision/connections/choose.ts'
import { givenOptions, hostOf, parseOptions } from '../../../src/provision/connections/options.ts'

const text = (name: string) => readFileSync(new URL(`captured/${name}.txt`, import.meta.url), 'utf8')
const builtIn = parseOptions(text('built-in'))

const TRAITS: Traits = {
  needsHostCertificate: false,
  knownTypes: ['ssh-ed25519'],
  identities: [{ type: 'ssh-ed25519', where: '/k' }],
  ticket: false,
}

/** As if these lines stood in the output of `ssh -G`. */
function chosen(lines: string[], traits: Partial<Traits> = {}, client: 'auto' | 'ssh2' | 'system' = 'auto') {
  const names = lines.map(line => line.split(' ')[0])
  const rest = text('plain.lab')
    .split('\n')
    .filter(line => !names.includes(line.split(' ')[0]))
  const options = parseOptions([...rest, ...lines].join('\n'))
  const machine = {
    host: hostOf('plain.lab', options, {}),
    given: givenOptions(options, builtIn),
    traits: { ...TRAITS, ...traits },
  }
  return choose([machine], { node: 'n1', client })
}

test("Debian's own ssh_config needs nothing but ssh2", () => {
  expect(chosen([])).toMatchObject({ kind: 'ssh2', says: expect.stringContaining('n1') })
})

test.each([
  ['proxycommand nc %h %p', 'proxycommand'],
  ['certificatefile /c-cert.pub', 'certificatefile'],
  ['pkcs11provider /usr/lib/x.so', 'pkcs11provider'],
  ['knownhostscommand /bin/x', 'knownhostscommand'],
  ['hostbasedauthentication yes', 'hostbasedauthentication'],
  ['ciphers aes256-ctr', 'ciphers'],
  ['setenv A=b', 'setenv'],
  ['an-option-of-tomorrow yes', 'an-option-of-tomorrow'],
  ['hostkeyalgorithms sk-ssh-ed25519@openssh.com', 'hostkeyalgorithms'],
  ['identityfile /%C', '/%C'],
])("%s is carried by the system's ssh, and the sentence says why", (line, reason) => {
  expect(chosen([line])).toMatchObject({ kind: 'system', says: expect.stringContaining(reason) })
})

test.each([
  [{ needsHostCertificate: true }, 'certificate authority'],
  [{ certificate: '/k-cert.pub' }, '/k-cert.pub'],
  [{ identities: [{ type: 'sk-ssh-ed25519@openssh.com', where: '/k_sk' }] }, '/k_sk'],
  [{ knownTypes: ['sk-ssh-ed25519@openssh.com'] }, 'known_hosts has only'],
])('so is a machine with %o', (traits, reason) => {
  expect(chosen([], traits)).toMatchObject({ kind: 'system', says: expect.stringContaining(reason) })
})

test('GSSAPI counts where there is a ticket', () => {
  expect(chosen(['gssapiauthentication yes']).kind).toBe('ssh2')
  expect(chosen(['gssapiauthentication yes'], { ticket: true })).toMatchObject({
    kind: 'system',
    says: expect.stringContaining('Kerberos'),
  })
})

test('a security key beside an ordinary one is no reason', () => {
  const identities = [...TRAITS.identities, { type: 'sk-ssh-ed25519@openssh.com', where: '/k_sk' }]
  expect(chosen([], { identities }).kind).toBe('ssh2')
})

test('what belongs to a terminal is set aside, and that is said', () => {
  const { kind, aside } = chosen([
    'remotecommand tmux',
    'localforward 1 [h]:2',
    'controlpath /x',
    'stricthostkeychecking false',
  ])
  expect(kind).toBe('ssh2')
  const said = aside.join('\n')
  for (const name of ['remotecommand', 'localforward', 'controlpath', 'stricthostkeychecking'])
    expect(said).toContain(name)
})

test.each([
  [['nohostauthenticationforlocalhost yes'], 'NoHostAuthenticationForLocalhost'],
  [['pubkeyauthentication false'], 'PubkeyAuthentication'],
  [['preferredauthentications password'], 'PreferredAuthentications'],
])('%s is refused by name, because nobody here can honour it', (lines, name) => {
  expect(() => chosen(lines)).toThrowError(
    expect.objectContaining({ exit: EXIT.usage, message: expect.stringContaining(name) }),
  )
})

test('a program can be forced, unless it cannot honour the options', () => {
  expect(chosen([], {}, 'system').kind).toBe('system')
  expect(() => chosen(['proxycommand x'], {}, 'ssh2')).toThrowError(
    expect.objectContaining({ exit: EXIT.usage, why: expect.stringContaining('proxycommand') }),
  )
})
