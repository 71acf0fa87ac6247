import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, type LabNode, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'
import { canariesOf, watchProcesses } from './secrets/watch.ts'

storiesOfTheLab()

const MINUTES = 60_000
const KEPT = '/var/lib/llmagentos/secrets/* /etc/llmagentos/tls/*.key'

describe('the secrets of a cluster with brokers and services', () => {
  let lab: Lab
  let ada: Operator

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'canaries', nodes: 2 })
    const more = 'components:\n  rabbitmq: {memory: 256MiB}\n  runtime: {}\n'
    ada = await operator(lab, clusterYaml(lab, { user: 'ops', roles: { n2: 'worker' }, more }))
    await programsAtHand(ada.folder)
  }, 15 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  /** Everything that the CLI says, by a process of its own. */
  const says = async (...words: string[]) => {
    const { code, stdout, stderr } = await ada.start(...words).ended
    return { code, text: `${stdout}\n${stderr}` }
  }

  test(
    'are found in no process list, log, journal, plan or audit, and in no file that others may read',
    async () => {
      const watch = watchProcesses()
      const said = [await says('cluster', 'plan'), await says('cluster', 'plan', '--json')]
      const up = await says('cluster', 'up', '--yes', '--json')
      for (const words of [['up'], ['plan'], ['plan', '--json'], ['secrets', 'list'], ['status']])
        said.push(await says('cluster', ...words))
      for (const words of [['--limit', '100000'], ['--json']])
        said.push(await says('cluster', 'audit', ...words))
      const seen = await watch.stop()
      expect(up.code, up.text).toBe(0)
      expect(watch.looks()).toBeGreaterThan(100)
      expect([...seen].some(text => text.includes('cluster\0up'))).toBe(true)

      const values = await Promise.all(lab.nodes.map(secretsOn))
      expect(values[0]!.length).toBeGreaterThan(3)
      const canaries = canariesOf(values.flat())
      expect(canaries.length).toBeGreaterThan(3)
      const within = (text: string) => canaries.filter(canary => text.includes(canary)).length
      expect([...seen].filter(text => within(text) > 0)).toEqual([])
      for (const { text } of [up, ...said]) expect(within(text), text.slice(0, 300)).toBe(0)

      for (const node of lab.nodes) {
        const journal = await node.run('journalctl -q --no-pager -a -o export')
        expect(within(journal), node.name).toBe(0)
        expect(await readable(node, canaries), node.name).toEqual([])
      }
      expect(filesUnder(ada.folder).filter(file => within(readFileSync(file, 'latin1')) > 0)).toEqual([])
    },
    20 * MINUTES,
  )
})

async function secretsOn(node: LabNode): Promise<string[]> {
  const text = await node.run(
    `for file in ${KEPT}; do [ ! -f "$file" ] || { cat "$file"; printf '\\0'; }; done`,
  )
  return text.split('\0').filter(value => value.trim() !== '')
}

/**
 * Files of a node that hold one of these and may be read by more than their owner, as `MODE USER GROUP PATH`. A file of root's that one
 * service reads through its own group, which has no other member, is as closed as one of 0600.
 */
async function readable(node: LabNode, canaries: string[]): Promise<string[]> {
  const roots = '/boot /etc /home /opt /root /run /srv /tmp /usr/local /var'
  const found = `grep -rlaF --devices=skip -f - ${roots} 2>/dev/null | xargs -r -d '\\n' stat -c '%a %U %G %n' || true`
  const input = canaries.join('\n')
  const lines = (await node.run(found, { input, deadlineMs: 5 * MINUTES })).trim().split('\n')
  // It finds what is there to be found.
  if (node.name === 'n1') expect(lines.join('\n')).toContain('/var/lib/llmagentos/secrets/')
  const ofOne = await ownGroups(node)
  const closed = (line: string) => {
    const [mode = '', user, group = '', path = ''] = line.split(' ')
    if (/^[0-7]?[0-7]00$/.test(mode) || path.startsWith('/run/credentials/')) return true
    return mode === '640' && user === 'root' && ofOne.has(group)
  }
  return lines.filter(line => line !== '' && !closed(line))
}

/** Groups of system users that have one user, of the same name, and no other members. */
async function ownGroups(node: LabNode): Promise<Set<string>> {
  const [users, groups] = [await node.run('getent passwd'), await node.run('getent group')]
  const ids = users
    .trim()
    .split('\n')
    .map(line => line.split(':'))
  const own = groups
    .trim()
    .split('\n')
    .filter(line => {
      const [name, , gid, members] = line.split(':')
      const primary = ids.filter(([, , , group]) => group === gid).map(([user]) => user)
      return (members === '' || members === name) && primary.length === 1 && primary[0] === name
    })
  return new Set(own.map(line => line.split(':')[0]!).filter(name => name !== 'root'))
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesUnder(path)
    return entry.isFile() && (statSync(path).mode & 0o077) !== 0 ? [path] : []
  })
}
