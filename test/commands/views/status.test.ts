import { describe, expect, test } from 'vitest'
import { type Shown, statusJson, statusText } from '../../../src/commands/views/status.ts'
import { parse } from '../../../src/provision/cluster/load.ts'

const node = (n: number) =>
  `  - {name: n${n}, address: 10.0.0.${n}, roles: [${n === 1 ? 'control' : 'worker'}]}\n`
const cluster = (many: number, more = '') =>
  parse(
    `name: prod\nrecovery: none\nssh: {user: ops}\nnodes:\n${Array.from({ length: many }, (_, i) => node(i + 1)).join('')}${more}`,
    { env: {} },
  )

const shown = (o: Partial<Shown>): Shown => {
  const all = o.cluster ?? cluster(2)
  return {
    cluster: all,
    asked: all.nodes.filter(({ state }) => state !== 'offline'),
    silent: [],
    components: [{ component: 'base', findings: [] }],
    holder: null,
    applied: null,
    todo: { steps: 0, more: false },
    ...o,
  }
}
const text = (o: Partial<Shown>) => statusText(shown(o)).join('\n')

describe('the status of machines', () => {
  test('of a healthy cluster is short', () => {
    const applied = { number: 3, when: '2026-01-02T03:04:05Z', who: 'ada@laptop', version: '0.1.0' }
    expect(text({ applied: { ...applied, nodes: [], file: '' } })).toBe(
      [
        'prod: healthy',
        '  nodes',
        '    reached   n1, n2',
        '  components',
        '    base',
        '      ok        as planned',
        '  lock      nobody has it',
        '  applied   number 3, 2026-01-02T03:04:05Z, by ada@laptop',
        '  file      the machines are as it says',
      ].join('\n'),
    )
  })

  test('names what is bad first, with what to do, and says once what is the same everywhere', () => {
    const findings = [
      { level: 'ok' as const, node: 'n1', says: 'Names mean the right addresses.' },
      { level: 'ok' as const, node: 'n2', says: 'Names mean the right addresses.' },
      { level: 'bad' as const, node: 'n2', says: 'The services are inactive.', fix: 'Look there.' },
    ]
    const said = text({ components: [{ component: 'runtime', findings }] })
    expect(said).toContain('prod: not healthy')
    expect(said).toContain(
      '      BAD       n2: The services are inactive. Look there.\n      ok        n1, n2: Names mean the right addresses.\n',
    )
  })

  test('names each node that did not answer, and counts the many that did', () => {
    const said = text({
      cluster: cluster(50, '  - {name: off, address: 10.0.1.1, roles: [worker], state: offline}\n'),
      silent: [{ node: 'n7', why: 'n7 does not answer. connect ETIMEDOUT' }],
    })
    expect(said).toContain('prod: 1 of 50 nodes not reached')
    expect(said).toContain('    reached   n1, n2, n3, n4, n5 and 44 more')
    expect(said).toContain('    NO ANSWER n7: n7 does not answer. connect ETIMEDOUT')
    expect(said).toContain('    not asked off (state: offline)')
  })

  test('tells who changes it, and that the file says something else', () => {
    const holder = { who: 'bob@desk', since: '2026-01-02T03:04:05Z', doing: 'cluster up' }
    const said = text({ holder, todo: { steps: 3, more: true } })
    expect(said).toContain('lock      bob@desk has it since 2026-01-02T03:04:05Z: cluster up')
    expect(said).toContain('file      3 steps to do, and more after them: llmagentos cluster plan')
    expect(text({ todo: { refused: 'cluster.yaml no longer has n9.' } })).toContain(
      'file      cannot be applied: cluster.yaml no longer has n9.',
    )
    expect(text({ holder: { unknown: 'no control node answers' } })).toContain(
      'lock      unknown: no control node answers',
    )
  })

  test('is one document for scripts', () => {
    const findings = [{ level: 'warn' as const, node: 'n1', says: 'It waits for a reboot.' }]
    const silent = [{ node: 'n2', why: 'down' }]
    expect(statusJson(shown({ silent, components: [{ component: 'base', findings }] }))).toMatchObject({
      cluster: 'prod',
      healthy: false,
      nodes: [
        { name: 'n1', reached: true },
        { name: 'n2', reached: false, why: 'down' },
      ],
      components: [{ component: 'base', level: 'warn', findings }],
      lock: { holder: null },
      applied: null,
      todo: { steps: 0, more: false },
    })
  })
})
