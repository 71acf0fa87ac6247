import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runtime } from '../../../../src/provision/components/runtime/index.ts'
import { quote } from '../../../../src/provision/connections/quote.ts'
import type { Item } from '../../../../src/provision/os/item.ts'
import { fill } from '../../../../src/provision/os/template.ts'
import { tempFolder } from '../../../helpers/temp.ts'
import { Authority } from '../../../runtime/tls/authority.ts'
import { factsOf } from '../../os/node.ts'
import { forget } from '../certified.ts'
import { bare, done, viewOf } from './site.ts'

afterAll(forget)

const UNITS = '/etc/systemd/system'
const OWN = "gateway: {port: 443, tls: {certificate: /etc/ssl/100%/it's.pem, key: /etc/ssl/key.pem}}\n"

test('the gateway takes connections on a socket of systemd, and its unit wants that one', () => {
  const items = itemsOf('gateway: {port: 8443}\n')
  expect(textOf(items, `${UNITS}/llmagentos-gateway.socket`)).toContain('ListenStream=0.0.0.0:8443\n')
  const unit = textOf(items, `${UNITS}/llmagentos-gateway.service`)
  expect(unit).toContain('\nRequires=llmagentos-gateway.socket\nAfter=llmagentos-gateway.socket\n')
  expect(textOf(items, `${UNITS}/llmagentos-llm.service`)).not.toContain('.socket')
  expect(JSON.parse(textOf(items, '/etc/llmagentos/gateway.json')).services[0].config).toMatchObject({
    port: 8443,
    socket: 'gateway',
  })
  // systemd starts no socket without the service that it is for.
  const names = items.map(item => ('path' in item ? item.path : 'name' in item ? item.name : ''))
  expect(names.indexOf(`${UNITS}/llmagentos-gateway.service`)).toBeLessThan(
    names.indexOf('llmagentos-gateway.socket'),
  )
})

test('files of gateway.tls are handed to the gateway at its start, and whenever they change', () => {
  const items = itemsOf(OWN)
  expect(textOf(items, `${UNITS}/llmagentos-gateway-tls.path`)).toContain(
    "\nPathChanged=/etc/ssl/100%%/it's.pem\nPathChanged=/etc/ssl/key.pem\n",
  )
  expect(textOf(items, `${UNITS}/llmagentos-gateway-tls.path`)).toContain(
    '\nPathChanged=/etc/ssl/100%%\nPathChanged=/etc/ssl\n',
  )
  expect(textOf(items, `${UNITS}/llmagentos-gateway.service`)).toContain(
    '\nExecStartPre=+/etc/llmagentos/gateway-tls\n',
  )
  expect(items).toContainEqual(expect.objectContaining({ kind: 'unit', name: 'llmagentos-gateway-tls.path' }))
  expect(items).toContainEqual(
    expect.objectContaining({ kind: 'unit', name: 'llmagentos-gateway-tls.timer' }),
  )
})

test('without files of its own nothing looks after them', () => {
  expect(itemsOf('').some(item => 'name' in item && item.name.includes('gateway-tls'))).toBe(false)
})

test('a certificate and a key that fit are handed over, and what does not fit leaves them as they are', () => {
  const { folder, files, handed } = handing()
  const first = new Authority(folder, 'first').issue('gateway')
  files.replace(first)
  expect(handed()).toMatchObject({ status: 0, stderr: '' })
  const [certificate, key] = [files.copy('certificate.pem'), files.copy('key.pem')]
  expect(certificate).toBe(readFileSync(first.cert, 'utf8'))
  expect(statSync(files.path('key.pem')).mode & 0o777).toBe(0o400)
  const second = new Authority(folder, 'second').issue('gateway')
  files.replace({ cert: second.cert, key: first.key })
  const refused = handed()
  expect(refused.status).toBe(1)
  expect(refused.stderr).toContain('cannot be used: the key is not the one of the certificate')
  expect([files.copy('certificate.pem'), files.copy('key.pem')]).toEqual([certificate, key])
  files.replace(second)
  expect(handed().status).toBe(0)
  expect(files.copy('certificate.pem')).toBe(readFileSync(second.cert, 'utf8'))
})

test('what changes while files are handed over is handed over, too, and what was refused once is not tried again', () => {
  const { folder, files, handed } = handing()
  const [first, second] = ['first', 'second'].map(name => new Authority(folder, name).issue('gateway'))
  files.replace(first!)
  // The first openssl of the run reads what there was; then somebody replaces both files.
  const openssl = spawnSync('sh', ['-c', 'command -v openssl'], { encoding: 'utf8' }).stdout.trim()
  mkdirSync(join(folder, 'bin'))
  writeFileSync(
    join(folder, 'bin/openssl'),
    `#!/bin/sh
cd ${folder}
[ -e swapped ] || { touch swapped; cp '${second!.cert}' "it's/c.pem"; cp '${second!.key}' "it's/k.pem"; }
exec ${openssl} "$@"
`,
    { mode: 0o755 },
  )
  expect(handed({ PATH: `${join(folder, 'bin')}:${process.env.PATH}` })).toMatchObject({
    status: 0,
    stderr: '',
  })
  expect(files.copy('certificate.pem')).toBe(readFileSync(second!.cert, 'utf8'))
  files.replace({ cert: first!.cert, key: second!.key })
  expect(handed()).toMatchObject({ status: 1, stderr: expect.stringContaining('cannot be used') })
  expect(handed()).toMatchObject({ status: 1, stderr: '' })
})

function itemsOf(more: string): Item[] {
  const view = viewOf(1, [], more)
  return runtime.items(view, factsOf({ n1: { ...done(), os: bare.os } }), view.nodes[0])
}

const textOf = (items: Item[], path: string): string =>
  items.flatMap(item => (item.kind === 'file' && item.path === path ? [String(item.text)] : [])).join()

/** The program of the nodes on files of the test, without its half seconds. */
function handing() {
  const folder = tempFolder()
  const at = (name: string) => join(folder, name)
  mkdirSync(at("it's"))
  const script = fill('runtime/gateway-tls', {
    certificate: quote([at("it's/c.pem")]),
    key: quote([at("it's/k.pem")]),
    folder: at('ours'),
    owner: `${process.getuid!()}:${process.getgid!()}`,
  })
  writeFileSync(at('script'), script.replace('sleep 0.5', ':'))
  return {
    folder,
    handed: (env = process.env) => spawnSync('sh', [at('script')], { encoding: 'utf8', env }),
    files: {
      path: (name: string) => at(`ours/${name}`),
      copy: (name: string) => readFileSync(at(`ours/${name}`), 'utf8'),
      replace({ cert, key }: { cert: string; key: string }) {
        writeFileSync(at("it's/c.pem"), readFileSync(cert))
        writeFileSync(at("it's/k.pem"), readFileSync(key))
      },
    },
  }
}
