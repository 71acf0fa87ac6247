import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clusterYaml, type Operator, operator } from './cli.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { type Lab, openLab } from './lab.ts'
import { MODEL_FILES, VERSION } from './ollama/looks.ts'
import { ollamaMirror } from './ollama/mirror.ts'
import { programsAtHand } from './programs.ts'

storiesOfTheLab()

const MINUTES = 60_000
const UNIT = 'llmagentos-ollama.service'
const ROLES = { n2: 'worker', n3: 'worker' }

/** No release of Ollama can be had here: archives of its layout hold a stand-in. `npm run test:ollama` is for a real one. */
describe('Ollama on a machine that works, from a mirror (a stand-in)', () => {
  let lab: Lab
  let ada: Operator
  let mirror: Awaited<ReturnType<typeof ollamaMirror>>

  beforeAll(async () => {
    if (lacks) return
    lab = await openLab({ name: 'ollama', nodes: 3 })
    ada = await operator(lab, clusterYaml(lab, { roles: ROLES }))
    await programsAtHand(ada.folder)
    mirror = await ollamaMirror(ada.folder)
    mirror.release('0.32.15')
  }, 10 * MINUTES)
  afterAll(() => lab?.close(), 2 * MINUTES)

  test(
    'is installed by cluster up, believed by a digest that is kept, and reached on loopback alone',
    async () => {
      ada.write(wanted('release: 0.32.15'))
      await up()
      expect(readFileSync(join(ada.folder, 'cluster.lock.yaml'), 'utf8')).toMatch(
        /^ {2}ollama\/0\.32\.15\/ollama-linux-\w+\.tar\.zst: sha256-/m,
      )
      const n2 = lab.node('n2')
      expect(await version()).toContain('"0.32.15"')
      expect(await n2.run("ss -Htln 'sport = :11434' | awk '{ print $4 }'")).toBe('127.0.0.1:11434\n')
      expect(await n2.run(`systemctl show -P User -P ProtectSystem ${UNIT}`)).toBe(
        'llmagentos-ollama\nstrict\n',
      )
      expect(await n2.run('stat -c "%U %a" /var/lib/llmagentos-ollama')).toBe('llmagentos-ollama 750\n')
      expect((await lab.node('n1').ssh(['systemctl', 'cat', UNIT])).code).not.toBe(0)
      expect((await ada.cli('cluster', 'status')).stdout).toContain('Ollama 0.32.15 answers.')
    },
    10 * MINUTES,
  )

  test('has nothing more to do the second time', async () => {
    expect(await ada.cli('cluster', 'plan', '--exit-code')).toMatchObject({ code: 0 })
    expect((await ada.cli('cluster', 'up')).stdout).toContain('Nothing was changed.')
  })

  test('gets a model by one download and hands it on, and answers a question through the gateway', async () => {
    const pulled = await ada.cli('model', 'pull', 'tiny', '--json')
    expect(pulled, pulled.stderr).toMatchObject({ code: 0 })
    const placed = pulled.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(({ type }) => type === 'placed')
    expect(placed.map(({ worker }) => worker).sort()).toEqual(['n2', 'n3'])
    expect(placed.filter(({ from }) => from === undefined)).toHaveLength(1)
    const [one, other] = await Promise.all(['n2', 'n3'].map(modelFiles))
    expect(one).toMatch(/\/blobs\/sha256-/)
    expect(other).toBe(one)
    expect((await ada.cli('model', 'list')).stdout).toMatch(/tiny.*n2.*n3|tiny.*n3.*n2/)
    const asked = await ada.cli('ask', '--json', '--model', 'tiny', 'how do I add a node?')
    expect(asked, asked.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(asked.stdout)).toMatchObject({
      worker: expect.stringMatching(/^n[23]$/),
      engine: 'ollama',
    })
  })

  test('leaves a worker, and comes to those with a label', async () => {
    expect((await ada.cli('model', 'scale', 'tiny=1')).stdout).toMatch(
      /^tiny is on n[23], no more on n[23]\.$/m,
    )
    expect(await ada.cli('model', 'rm', 'tiny')).toMatchObject({ code: 0 })
    const pulled = await ada.cli('model', 'pull', 'tiny', '--on', 'gpu=none')
    expect(pulled, pulled.stderr).toMatchObject({ code: 0, stdout: 'tiny is there: on n3.\n' })
    expect((await ada.cli('model', 'scale', 'tiny=2')).stdout).toMatch(/^tiny is on n3, n2\.$/m)
    expect(await ada.cli('model', 'scale', 'tiny=3')).toMatchObject({ code: 2 })
  })

  test(
    'holds the models that the file names after cluster up, and then there is nothing to do',
    async () => {
      expect(await ada.cli('model', 'rm', 'tiny')).toMatchObject({ code: 0 })
      ada.write(`${wanted('release: 0.32.15')}models: [{name: tiny, replicas: 2}]\n`)
      const first = await ada.cli('cluster', 'up', '--yes')
      expect(first, first.stderr).toMatchObject({ code: 0 })
      expect(first.stdout).toMatch(/^ {2}model {4}tiny came to n[23], n[23]$/m)
      const second = await ada.cli('cluster', 'up')
      expect(second, second.stderr).toMatchObject({ code: 0 })
      expect(second.stdout).toContain('Nothing was changed.')
      expect(second.stdout).not.toContain('tiny')
      ada.write(`${wanted('release: 0.32.15')}models: [{name: no-such-model}]\n`)
      const refused = await ada.cli('cluster', 'up', '--yes')
      expect(refused).toMatchObject({ code: 6 })
      expect(refused.stderr).toContain('the model no-such-model is not where it shall be.')
      ada.write(wanted('release: 0.32.15'))
    },
    5 * MINUTES,
  )

  test(
    'takes other settings with a restart of its own and of nothing else',
    async () => {
      const before = await started()
      ada.write(
        wanted('release: 0.32.15, settings: [{on: worker, parallel: 3, keepAlive: 10m}, {parallel: 5}]'),
      )
      await up()
      expect(await lab.node('n2').run(`systemctl show -P Environment ${UNIT}`)).toMatch(
        /OLLAMA_NUM_PARALLEL=5.*OLLAMA_KEEP_ALIVE=600000ms/,
      )
      const after = await started()
      expect(after.ollama).not.toBe(before.ollama)
      expect(after.worker).toBe(before.worker)
    },
    5 * MINUTES,
  )

  test(
    'goes to another release and back, with the one before still beside it',
    async () => {
      mirror.release('0.32.16')
      for (const release of ['0.32.16', '0.32.15']) {
        ada.write(wanted(`release: ${release}`))
        await up()
        expect(await version()).toContain(`"${release}"`)
        expect((await lab.node('n2').run('ls -d /opt/llmagentos/ollama.*')).trim().split('\n')).toHaveLength(
          2,
        )
      }
    },
    10 * MINUTES,
  )

  test(
    'is not taken from a mirror that hands out another file under the same name',
    async () => {
      mirror.release('0.32.17')
      ada.write(wanted('release: 0.32.17'))
      await up()
      ada.write(wanted('release: 0.32.16'))
      await up()
      mirror.release('0.32.17', ', altered')
      const cache = join(ada.folder, 'cache', 'llmagentos')
      for (const kept of readdirSync(cache).filter(name => name.startsWith('ollama-0.32.17')))
        rmSync(join(cache, kept))
      ada.write(wanted('release: 0.32.17'))
      const refused = await ada.cli('cluster', 'up', '--yes')
      expect(refused.code).not.toBe(0)
      expect(refused.stdout + refused.stderr).toContain('is not the file that we know')
      expect(await version()).toContain('"0.32.16"')
    },
    10 * MINUTES,
  )

  test(
    'comes back by itself after kill -9, and after the machine lost its power',
    async () => {
      ada.write(wanted('release: 0.32.16'))
      const n2 = lab.node('n2')
      await n2.run(`systemctl kill -s KILL ${UNIT}`)
      await vi.waitFor(async () => expect(await version()).toContain('"0.32.16"'), {
        timeout: MINUTES,
        interval: 500,
      })
      await n2.kill()
      await n2.start()
      await vi.waitFor(async () => expect(await version()).toContain('"0.32.16"'), {
        timeout: MINUTES,
        interval: 500,
      })
    },
    5 * MINUTES,
  )

  test(
    'that hangs is ended and comes back, and meanwhile the others answer',
    async () => {
      const n2 = lab.node('n2')
      const before = await started()
      await n2.run(`systemctl kill -s STOP ${UNIT}`)
      const deadline = Date.now() + 3 * MINUTES
      let asked = 0
      while ((await started()).ollama === before.ollama) {
        expect(Date.now()).toBeLessThan(deadline)
        const answer = await ada.cli('ask', '--json', '--model', 'tiny', 'how do I add a node?')
        expect(answer, answer.stderr).toMatchObject({ code: 0 })
        asked++
      }
      expect(asked).toBeGreaterThan(0)
      await vi.waitFor(async () => expect(await version()).toContain('"0.32.16"'), {
        timeout: MINUTES,
        interval: 500,
      })
      expect(await n2.run('journalctl -q -o cat -u llmagentos-ollama-watch.service')).toContain(
        'Ollama was silent 3 times for 10 seconds: it is ended, and starts again.',
      )
    },
    6 * MINUTES,
  )

  test('a release with known holes is refused before anything is changed', async () => {
    ada.write(wanted('release: 0.20.1'))
    const refused = await ada.cli('cluster', 'up', '--yes')
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.stderr).toContain('components/ollama/release must be newer than 0.20.1.')
  })

  test(
    'leaves with its block, and its models stay',
    async () => {
      ada.write(wanted())
      await up()
      const n2 = lab.node('n2')
      expect((await n2.ssh(['systemctl', 'cat', UNIT])).code).not.toBe(0)
      expect((await n2.ssh(['ls', '-d', '/opt/llmagentos/ollama'])).code).not.toBe(0)
      await n2.run('test -d /var/lib/llmagentos-ollama')
    },
    5 * MINUTES,
  )

  const wanted = (ollama?: string) =>
    clusterYaml(lab, {
      roles: ROLES,
      extra: { n3: ', labels: {gpu: none}' },
      more: `artifacts: {mirror: "${mirror.url}"}\ncomponents:\n  runtime: {}\n${ollama === undefined ? '' : `  ollama: {${ollama}, models: {minFree: 1GiB}}\n`}`,
    })
  const up = async () => {
    const ran = await ada.cli('cluster', 'up', '--yes')
    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 0 })
  }
  const version = () => lab.node('n2').run(VERSION)
  const modelFiles = (node: string) => lab.node(node).run(MODEL_FILES)
  const started = async () => {
    const at = (unit: string) => lab.node('n2').run(`systemctl show -P ActiveEnterTimestampMonotonic ${unit}`)
    return { ollama: await at(UNIT), worker: await at('llmagentos-worker.service') }
  }
})
