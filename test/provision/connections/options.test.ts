import { readFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { expect, test } from 'vitest'
import { parseFound, preferred } from '../../../src/provision/connections/known-hosts.ts'
import { givenOptions, hostOf, parseOptions, pathList } from '../../../src/provision/connections/options.ts'

/** Output of OpenSSH 9.2's `ssh -G` and `ssh-keygen -F`, as it came. */
const captured = (name: string) => readFileSync(new URL(`captured/${name}.txt`, import.meta.url), 'utf8')
const optionsOf = (name: string) => parseOptions(captured(name))
const home = userInfo().homedir || homedir()

test('the options of a host are read as values', () => {
  expect(hostOf('n1.lab', optionsOf('n1.lab'), {})).toMatchObject({
    alias: 'n1.lab',
    host: '10.0.0.11',
    port: 2222,
    user: 'ops',
    knownAs: 'n1alias',
    identityFiles: [`${home}/.ssh/cluster_10.0.0.11`, '/with blank/id'],
    identitiesOnly: true,
    agent: '/run/agent.sock',
    knownHostsFiles: ['/etc/known1', '/a b/known2', '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
    jumps: ['jump@bastion.example.org:2200', 'inner'],
    connectMs: 7000,
    keepaliveMs: 5000,
    keepaliveCount: 3,
    unexpanded: [],
  })
})

test('without options OpenSSH decides: port 22, its usual files, the agent of the environment', () => {
  const host = hostOf('plain.lab', optionsOf('plain.lab'), { SSH_AUTH_SOCK: '/run/mine' })
  expect(host).toMatchObject({
    host: 'plain.lab',
    port: 22,
    knownAs: 'plain.lab',
    agent: '/run/mine',
    jumps: [],
    connectMs: undefined,
  })
  expect(host.identityFiles).toContain(`${home}/.ssh/id_ed25519`)
  expect(host.hostKeyAlgorithms).toContain('ssh-ed25519')
})

test('a host on another port is known with its port', () => {
  const options = parseOptions('hostname 10.0.0.1\nport 2200\n')
  expect(hostOf('n', options, {}).knownAs).toBe('[10.0.0.1]:2200')
})

test('an agent can be switched off, or named by a variable', () => {
  const agent = (line: string) => hostOf('n', parseOptions(line), { SSH_AUTH_SOCK: '/a', OTHER: '/b' }).agent
  expect([
    agent('identityagent none'),
    agent('identityagent SSH_AUTH_SOCK'),
    agent('identityagent $OTHER'),
    agent('x y'),
  ]).toEqual([undefined, '/a', '/b', '/a'])
})

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: ssh_config's own variables */
test('tokens and variables in paths are expanded; those that we do not know are named', () => {
  const options = parseOptions(
    'hostname h\nport 5\nuser u\nidentityfile /k/%h-%p-%r-%n-%%\nidentityfile ${DIR}/x\nidentityfile /%C\nidentityfile ${NO}/x\n',
  )
  expect(hostOf('a', options, { DIR: '/d' })).toMatchObject({
    identityFiles: ['/k/h-5-u-a-%', '/d/x'],
    unexpanded: ['/%C', '${NO}/x'],
  })
})

/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: the end of them */

test('lists of files are told apart although -G does not quote them', () => {
  expect(pathList('/a/b c /d ~/e f none')).toEqual(['/a/b c', '/d', '~/e f', 'none'])
})

test('what somebody wrote into a configuration is told from what is built in', () => {
  const builtIn = optionsOf('built-in')
  const given = givenOptions(optionsOf('proxied.lab'), builtIn)
  expect(given).toEqual(expect.arrayContaining(['proxycommand', 'certificatefile', 'pkcs11provider']))
  expect(givenOptions(builtIn, builtIn)).toEqual([])
})

test('lines of known_hosts are read with their marks', () => {
  expect(parseFound(captured('found'), '/f')).toMatchObject([
    { file: '/f', line: 1, type: 'ssh-ed25519' },
    { file: '/f', line: 4, type: 'ssh-rsa', mark: 'revoked' },
  ])
})

test('the algorithms of known keys come first, in the order of the options', () => {
  const known = [
    { file: '', line: 1, type: 'ssh-rsa', blob: '' },
    { file: '', line: 1, type: 'ssh-ed25519', blob: '', mark: 'revoked' as const },
  ]
  expect(preferred(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'], known)).toEqual([
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
  ])
})
