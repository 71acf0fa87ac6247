import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { programsAtHand } from './programs.ts'

storiesOfTheLab()

const MINUTES = 60_000
// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own
const STATUS = '${db:Status-Status}'
const COMMAND = '/usr/local/bin/llmagentos'
const MANIFEST = '/var/lib/llmagentos/manifest'

describe('cluster status and cluster down on two machines', () => {
  let lab: Lab
  let ada: Operator
  let bare: string[][]

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'down', nodes: 2 })
    ada = await operator(
      lab,
      clusterYaml(lab, { roles: { n2: 'worker' }, more: 'components:\n  runtime: {}\n' }),
    )
    await programsAtHand(ada.folder)
    // What we install goes again, and what was there before us comes back.
    await lab.node('n1').run('apt-get -qq purge nftables >/dev/null')
    await lab.node('n1').run(`echo 'of somebody else' >${COMMAND}`)
    bare = await Promise.all(lab.nodes.map(contents))
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'a cluster that is up is healthy, and looking at it writes nothing and logs in once per node',
    async () => {
      const first = await ada.cli('cluster', 'status', '--json')
      expect(first, first.stderr).toMatchObject({ code: 6 })
      expect(JSON.parse(first.stdout)).toMatchObject({
        healthy: false,
        applied: null,
        lock: { holder: null },
      })
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      const [files, logins] = [await all(node => node.files()), await all(node => node.logins())]
      const status = await ada.cli('cluster', 'status')
      expect(status, status.stdout + status.stderr).toMatchObject({ code: 0 })
      expect(status.stdout).toContain('reached   n1, n2')
      expect(status.stdout).toContain('the machines are as it says')
      expect(status.stdout).toMatch(/applied {3}number 1, .*, by /)
      expect(await all(node => node.files())).toEqual(files)
      expect(await all(node => node.logins())).toEqual(logins.map(n => n + 1))
    },
    10 * MINUTES,
  )

  test(
    'status tells of a unit that was stopped by hand, of what was changed, and of a machine that does not answer',
    async () => {
      const unit = await serviceUnit()
      await lab.node('n1').run(`systemctl stop ${unit} && sed -i '/n2.lab/d' /etc/hosts`)
      const status = await ada.cli('cluster', 'status')
      expect(status.code, status.stdout).toBe(6)
      expect(status.stdout).toContain('lab: not healthy')
      expect(status.stdout).toMatch(/BAD {7}n1: .*inactive/)
      expect(status.stdout).toMatch(/file {6}\d+ steps to do.*: llmagentos cluster plan/)
      await lab.node('n2').kill()
      // Its neighbours may be out of reach for some seconds: the bridge takes another address then.
      await vi.waitFor(() => lab.node('n1').run('true'), { timeout: 60_000, interval: 500 })
      const without = await ada.cli('cluster', 'status', '--json')
      expect(without.code).toBe(4)
      expect(JSON.parse(without.stdout).nodes).toMatchObject([
        { name: 'n1', reached: true },
        { name: 'n2', reached: false, why: expect.stringContaining('n2') },
      ])
    },
    3 * MINUTES,
  )

  test(
    'down wants the name and every machine, and changes nothing before it has both',
    async () => {
      const before = await lab.node('n1').files()
      const silent = await ada.cli('cluster', 'down', '--confirm', 'lab')
      expect(silent.code).toBe(4)
      expect(silent.stderr).toContain('n2 does not answer, and nothing was removed.')
      expect(silent.stderr).toContain('--on')
      await lab.node('n2').start()
      const unnamed = await ada.cli('cluster', 'down')
      expect(unnamed.code).toBe(9)
      expect(unnamed.stderr).toContain('next: llmagentos cluster down --confirm lab')
      expect(unnamed.stderr).toContain('KEPT    n1: ')
      expect(await ada.cli('cluster', 'down', '--confirm', 'prod')).toMatchObject({ code: 9 })
      expect(await ada.cli('cluster', 'down', '--purge', '--confirm', 'lab')).toMatchObject({ code: 2 })
      expect(await lab.node('n1').files()).toEqual(before)
    },
    3 * MINUTES,
  )

  test(
    'down is killed after its first step, and goes on when it is run again; data stays, the rest goes',
    async () => {
      for (const path of await heldPaths()) await lab.node('n1').run(`echo kept >${path}/of-the-story`)
      const { child, events, ended } = ada.start('cluster', 'down', '--confirm', 'lab', '--json')
      for await (const { event, step } of events) {
        if (event !== 'done' || !step) continue
        child.kill('SIGKILL')
        break
      }
      expect((await ended).code).toBeNull()
      const down = await ada.cli('cluster', 'down', '--confirm', 'lab', '--lock-wait', '90s')
      expect(down, down.stdout + down.stderr).toMatchObject({ code: 0 })
      expect(down.stdout).toContain('Nothing of lab but its data is on these machines any more')
      for (const path of await heldPaths()) {
        expect(down.stdout).toContain(`KEPT    n1: ${path}`)
        expect(await lab.node('n1').run(`cat ${path}/of-the-story`)).toBe('kept\n')
      }
      // Beside data stay those whom it belongs to, and the configuration of packages that were removed.
      const stays = /^(gone: )?\/(var\/lib\/llmagentos|etc\/(passwd|shadow|group|gshadow|nftables\.conf) )/
      const now = await Promise.all(lab.nodes.map(contents))
      for (const [i, lines] of now.entries())
        expect(unlike(bare[i]!, lines).filter(line => !stays.test(line))).toEqual([])
      expect(await lab.node('n1').run(`cat ${COMMAND}`)).toBe('of somebody else\n')
      expect((await lab.node('n1').ssh(['dpkg-query', '-W', '-f', STATUS, 'nftables'])).stdout).toBe(
        'config-files',
      )
    },
    5 * MINUTES,
  )

  test(
    'down again has nothing to do and writes nothing; up takes the data up again',
    async () => {
      const files = await all(node => node.files())
      const again = await ada.cli('cluster', 'down')
      expect(again, again.stderr).toMatchObject({ code: 0 })
      expect(again.stdout).toContain('Nothing was changed.')
      expect(await all(node => node.files())).toEqual(files)
      const up = await ada.cli('cluster', 'up', '--yes')
      expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 })
      expect(await ada.cli('cluster', 'status')).toMatchObject({ code: 0 })
      for (const path of await heldPaths())
        expect(await lab.node('n1').run(`cat ${path}/of-the-story`)).toBe('kept\n')
    },
    10 * MINUTES,
  )

  test(
    'down --purge-data leaves the machines as they were before us',
    async () => {
      const held = await heldPaths()
      expect(held.length).toBeGreaterThan(0)
      const down = await ada.cli('cluster', 'down', '--purge-data', '--confirm', 'lab')
      expect(down, down.stdout + down.stderr).toMatchObject({ code: 0 })
      expect(down.stdout).toContain('Nothing of lab is on these machines any more')
      expect((await Promise.all(lab.nodes.map(contents))).map((now, i) => unlike(bare[i]!, now))).toEqual([
        [],
        [],
      ])
      for (const path of held) expect((await lab.node('n1').ssh(['test', '-e', path])).code).toBe(1)
      const left = `systemctl list-units --all --plain --no-legend 'llmagentos*' | grep -v '^llmagentos-lab-'; ls -d /run/llmagentos* /var/lib/llmagentos* 2>/dev/null || :`
      for (const node of lab.nodes) expect(await node.run(left)).toBe('')
      expect(JSON.parse((await ada.cli('cluster', 'status', '--json')).stdout).applied).toBeNull()
      expect((await ada.cli('cluster', 'list', '--json')).stdout).not.toContain('"lab"')
    },
    5 * MINUTES,
  )

  const all = <T>(ask: (node: Lab['nodes'][number]) => Promise<T>) => Promise.all(lab.nodes.map(ask))

  /** Any of the services, however many units they are. */
  const serviceUnit = async () => {
    const units = await lab
      .node('n1')
      .run(`awk -F '\\t' '$2 == "runtime" && $3 == "unit" && /service/ { print $4 }' ${MANIFEST} | head -n 1`)
    expect(units.trim()).not.toBe('')
    return units.trim()
  }

  /** Folders of data outside of our own. */
  const heldPaths = async () => {
    const held = await lab
      .node('n1')
      .run(`awk -F '\\t' '$1 == "+" && $3 == "held" { print $4 }' ${MANIFEST} | sort -u`)
    return held.split('\n').filter(path => path && !path.startsWith('/var/lib/llmagentos/'))
  }
})

const WHERE = ['/etc', '/opt', '/usr/local', '/var/lib/llmagentos', '/var/cache/llmagentos']

/** What lies there, without when it was written. useradd and its kin keep the version before of each file. */
async function contents(node: Lab['nodes'][number]): Promise<string[]> {
  const lines = await node.files(WHERE)
  return lines
    .filter(line => !/^\/etc\/(passwd|shadow|group|gshadow|subuid|subgid)- /.test(line))
    .map(line => line.replace(/ \d+\.\d+ (\d+) /, (_, size) => (/ d \d+ /.test(line) ? ' ' : ` ${size} `)))
}

/** Lines that only one of them has. */
const unlike = (before: string[], after: string[]) => [
  ...after.filter(line => !before.includes(line)),
  ...before.filter(line => !after.includes(line)).map(line => `gone: ${line}`),
]
