import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fileSource } from '../../src/provision/connections/files.ts'
import { applyWaves } from '../../src/provision/reconcile/apply.ts'
import { readJournal } from '../../src/provision/reconcile/journal.ts'
import type { Left, Step } from '../../src/provision/reconcile/step.ts'
import { NASTY } from '../provision/connections/stories.ts'
import { Bench, does, newRun, runs } from './engine/bench.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { SUITES } from './lab.ts'

storiesOfTheLab()

const file = (name: string): Left => ({ component: 'story', kind: 'file', name })

describe.each(SUITES)('steps on nodes of %s', suite => {
  let bench: Bench
  beforeAll(async () => {
    if (!lacks) bench = await Bench.open(`engine-${suite}`, suite)
  })
  afterAll(() => bench?.close())

  const write = (path: string, text: string, o: Partial<Step> & { mode?: number; owner?: string } = {}) =>
    does(
      'n1',
      { do: 'write', path, text, mode: o.mode ?? 0o644, owner: o.owner ?? 'root:root' },
      { leaves: [file(path)], ...o },
    )
  const remove = (path: string) => does('n1', { do: 'remove', path }, { takes: [file(path)] })

  test('a file is written whole, with owner and mode, in a folder that is made', async () => {
    const path = `/srv/a folder/it's "named" $HOME \`id\` 漢字.conf`
    const text = `${NASTY.join('\n')}\nend without newline`
    const applied = await bench.apply([write(path, text, { mode: 0o640, owner: 'root:ops' })])
    expect(applied).toMatchObject({ failed: [], notRun: [] })
    const stat = await bench.lab.node('n1').ssh(['stat', '-c', '%U:%G %a', path])
    expect(stat.stdout).toBe('root:ops 640\n')
    const { stdout } = await bench.lab.node('n1').ssh(['cat', path])
    expect(stdout).toBe(text)
    expect(await bench.says('n1', 'stat -c "%U:%G %a" "/srv/a folder"; ls -A "/srv/a folder" | wc -l')).toBe(
      'root:root 755\n1\n',
    )
  })

  test('what stood at a path before us comes back when ours is removed', async () => {
    await bench.says(
      'n1',
      'echo theirs >/etc/story; chown ops:ops /etc/story; chmod 604 /etc/story; ln -s /nowhere /etc/story-link',
    )
    await bench.apply([write('/etc/story', 'ours 1'), write('/etc/story-link', 'ours')])
    await bench.apply([write('/etc/story', 'ours 2')])
    expect(await bench.says('n1', 'cat /etc/story')).toBe('ours 2')
    expect(await bench.says('n1', 'grep -c /etc/story$ /var/lib/llmagentos/manifest')).toBe('1\n')
    await bench.apply([remove('/etc/story'), remove('/etc/story-link'), write('/etc/story-new', 'ours')])
    await bench.apply([remove('/etc/story-new'), remove('/etc/story-absent')])
    expect(
      await bench.says('n1', 'cat /etc/story; stat -c "%U:%G %a" /etc/story; readlink /etc/story-link'),
    ).toBe('theirs\nops:ops 604\n/nowhere\n')
    expect(await bench.says('n1', 'ls -A /etc | grep story; ls /var/lib/llmagentos')).toBe(
      'story\nstory-link\nfence\nfence.lock\njournal.ndjson\nmanifest\n',
    )
    const manifest = await bench.says('n1', 'grep /etc/story$ /var/lib/llmagentos/manifest')
    expect(manifest).toBe('+\tstory\tfile\t/etc/story\n-\tstory\tfile\t/etc/story\n')
  })

  test('a command gets its words and its input as they are, without a shell', async () => {
    const argv = ['sh', '-c', 'cat >/root/input; printf "%s\\0" "$@" >/root/words', 'sh', ...NASTY]
    const applied = await bench.apply([does('n1', { do: 'run', argv, stdin: NASTY.join('\n') })])
    expect(applied.failed).toEqual([])
    const { stdout } = await bench.lab.node('n1').ssh(['cat', '/root/words'])
    expect(stdout.split('\0').slice(0, -1)).toEqual(NASTY)
    expect((await bench.lab.node('n1').ssh(['cat', '/root/input'])).stdout).toBe(NASTY.join('\n'))
    const [notThere] = (await bench.apply([does('n1', { do: 'run', argv: ['start', 'x'] })])).failed
    expect(notThere).toMatchObject({ code: 127, stderr: expect.stringContaining('start') })
  })

  test('waiting ends when its command succeeds', async () => {
    const { done } = await bench.apply([
      runs('n1', '(sleep 1; touch /root/there) >/dev/null 2>&1 & sleep 2'),
      does('n1', { do: 'wait', argv: ['test', '-e', '/root/there'] }),
    ])
    expect(done).toHaveLength(2)
    const late = does(
      'n1',
      { do: 'wait', argv: ['sh', '-c', 'echo not yet >&2; exit 1'] },
      { deadlineMs: 1_500 },
    )
    expect((await bench.apply([late])).failed).toMatchObject([
      { code: 124, why: 'it took longer than 1.5 s', stderr: 'not yet' },
    ])
  })

  test('a failing step stops its node; others go on until a restart would come', async () => {
    const waves = [
      {
        says: 'one',
        steps: [
          runs('n1', 'echo no such thing >&2; exit 3'),
          runs('n1', 'echo 1b'),
          runs('n2', 'echo 2a'),
          runs('n2', 'echo 2b'),
        ],
      },
      {
        says: 'two',
        steps: [runs('n1', 'echo 1c'), runs('n2', 'echo 2c'), runs('n3', 'echo 3', { risk: 'restart' })],
      },
    ]
    const { done, failed, notRun } = await applyWaves(waves, {
      connections: await bench.connect(),
      run: newRun(),
      who: 'story@lab',
      number: 1,
      component: 'story',
    })
    expect(failed).toMatchObject([{ code: 3, why: 'exit code 3', stderr: 'no such thing' }])
    expect(done.map(step => step.says)).toEqual(['echo 2a', 'echo 2b', 'echo 2c'])
    expect(notRun.map(step => step.says).sort()).toEqual(['echo 1b', 'echo 1c', 'echo 3'])
  })

  test('an artifact is unpacked beside the old one and linked last', async () => {
    const artifacts = async (name: string) => fileSource(archive(bench.lab.folder, name))
    const place = does(
      'n1',
      { do: 'place', artifact: 'one', path: '/opt/story/app' },
      { leaves: [file('/opt/story/app')] },
    )
    const next = does('n1', { do: 'place', artifact: 'two', path: '/opt/story/app' })
    const third = does('n1', { do: 'place', artifact: 'three', path: '/opt/story/app' })
    expect((await bench.apply([place], { artifacts })).failed).toEqual([])
    expect(await bench.says('n1', 'cat /opt/story/app/name; stat -c %a.%U /opt/story/app/bin/run')).toBe(
      'one755.root\n',
    )
    expect((await bench.apply([next], { artifacts })).failed).toEqual([])
    expect(
      await bench.says(
        'n1',
        'cat /opt/story/app/name; ls -A /opt/story | wc -l; ls -A /var/cache/llmagentos',
      ),
    ).toBe('two3\n')
    expect((await bench.apply([third], { artifacts })).failed).toEqual([])
    expect(await bench.says('n1', 'cat /opt/story/app/name; ls -A /opt/story | wc -l')).toBe('three3\n')
    expect((await bench.apply([remove('/opt/story/app')])).failed).toEqual([])
    expect(await bench.says('n1', 'ls -A /opt/story')).toBe('')
  })

  test('bytes that are not the artifact are never unpacked', async () => {
    const good = gzipSync('x')
    const sha256 = createHash('sha256').update('another').digest('hex')
    const source = { bytes: good.length, sha256, from: (at: number) => Readable.from([good.subarray(at)]) }
    const place = does('n1', { do: 'place', artifact: 'bad', path: '/opt/story/bad' })
    const { failed } = await bench.apply([place], { artifacts: () => source })
    expect(failed).toMatchObject([{ stderr: expect.stringContaining('sha256') }])
    await bench.says('n1', `printf changed >/var/cache/llmagentos/${sha256}`)
    const spoilt = { ...source, bytes: 7 }
    expect((await bench.apply([place], { artifacts: () => spoilt })).failed).toMatchObject([
      { code: 1, stderr: expect.stringContaining(`and not ${sha256}`) },
    ])
    expect(await bench.says('n1', 'ls -A /opt/story /var/cache/llmagentos')).not.toContain('bad')
  })

  test('the journal tells what was done on all nodes, by time, and which node is silent', async () => {
    const connections = await bench.connect()
    const run = newRun()
    const says = randomBytes(4).toString('hex')
    await bench.apply([runs('n1', 'true', { says }), runs('n2', 'false', { says })], { connections, run })
    await connections
      .get('n3')!
      .exec(['rm', '-f', '/var/lib/llmagentos/journal.ndjson'], { root: true, deadlineMs: 9_000 })
    const journal = await readJournal([...connections.values()], { limit: 4 })
    expect(journal.silent).toEqual([])
    expect(journal.lines.map(line => line.at)).toEqual(journal.lines.map(line => line.at).sort())
    const ends = journal.lines.filter(line => line.outcome !== 'begun')
    expect(ends.map(line => [line.node, line.run, line.says, line.outcome, line.code]).sort()).toEqual([
      ['n1', run, says, 'done', 0],
      ['n2', run, says, 'failed', 1],
    ])
  })
})

/** A .tar.gz with a file `name` that holds the name, and a program. */
function archive(folder: string, name: string): string {
  const from = join(folder, `archive-${name}`)
  mkdirSync(join(from, 'bin'), { recursive: true })
  writeFileSync(join(from, 'name'), name)
  writeFileSync(join(from, 'bin', 'run'), '#!/bin/sh\n', { mode: 0o755 })
  execFileSync('tar', ['-czf', `${from}.tar.gz`, '-C', from, '.'])
  return `${from}.tar.gz`
}
