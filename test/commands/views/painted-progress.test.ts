import { describe, expect, test } from 'vitest'
import type { UpProgress } from '../../../src/commands/views/up-progress.ts'
import type { UpEvent } from '../../../src/provision/index.ts'
import { type Step, step } from '../../../src/provision/reconcile/step.ts'
import { FakeTerminal } from '../../helpers/terminal.ts'

const does = (node: string, says: string): Step =>
  step({ node, says, risk: 'add', deadlineMs: 1_000, act: { do: 'run', argv: ['true', says] } })
const at = { component: 'story', at: 0 }
const plan = (steps: Step[]): UpEvent => ({
  type: 'plan',
  plans: [{ component: 'story', waves: [{ says: 'all', steps }] }],
})

/** As a command has it, on a terminal of this size. */
async function painted(o: { columns?: number; rows?: number; env?: NodeJS.ProcessEnv } = {}) {
  // ink looks once, when it is loaded, and paints nothing but the end where CI is set.
  for (const name of ['CI', 'CONTINUOUS_INTEGRATION']) delete process.env[name]
  // This process has no terminal, and so would have no colours.
  process.env['FORCE_COLOR'] = '1'
  const { progressOf } = await import('../../../src/commands/views/up-progress.ts')
  const terminal = new FakeTerminal({ columns: 100, ...o })
  const progress: UpProgress = await progressOf({ json: false, io: { ...terminal.io(), env: o.env ?? {} } })
  return { terminal, progress }
}

describe('a run on a terminal', () => {
  test('shows what each node does, and finished steps above it', async () => {
    const { terminal, progress } = await painted()
    const [one, two] = [does('n1', 'install a broker'), does('n2', 'write a file')]
    progress.tell({ type: 'phase', says: 'Looking at 2 nodes' })
    expect(terminal.text()).toBe('Looking at 2 nodes ...')
    progress.tell(plan([one, two]))
    progress.tell({ type: 'phase', says: 'Taking the lock' })
    await terminal.shows(/\d s {2}Taking the lock \.\.\./)
    progress.tell({ type: 'begin', ...at, step: one })
    progress.tell({ type: 'begin', ...at, step: two })
    progress.tell({ type: 'output', ...at, step: one, line: 'Unpacking \u001b[31mbroker' })
    await terminal.shows(/0 s {2}n1: install a broker {2}Unpacking {2}?\[31mbroker/)
    await terminal.shows(/0 of 2 steps \(Ctrl-C stops after the running steps\)/)
    progress.tell({ type: 'done', ...at, step: two, ms: 1_200 })
    await terminal.shows(/ {2}n2: write a file \(1\.2 s\)\n.*n1: install a broker/)
    await terminal.shows('1 of 2 steps')
    progress.tell({ type: 'failed', ...at, step: one, why: 'exit code 1', stderr: '' })
    await progress.stop()
    expect(terminal.text()).toBe(
      [
        'Looking at 2 nodes ...',
        'Taking the lock',
        '  n2: write a file (1.2 s)',
        '  n1: FAILED install a broker',
      ].join('\n'),
    )
  })

  test('says who has the lock while it waits for it, and counts the seconds', async () => {
    const { terminal, progress } = await painted()
    progress.tell(plan([]))
    const holder = { who: 'bob@desk', since: '2026-01-02T03:04:05Z', doing: 'cluster up' }
    progress.tell({ type: 'waiting', holder })
    await terminal.shows('0 s  Waiting: bob@desk has the lock (cluster up) ...')
    await terminal.shows('1 s  Waiting: bob@desk has the lock (cluster up) ...')
    await progress.stop()
  })

  test('tells after Ctrl-C what happens now, and reads no key', async () => {
    const { terminal, progress } = await painted()
    progress.tell({ type: 'begin', ...at, step: does('n1', 'x') })
    await terminal.shows('Ctrl-C stops after the running steps')
    expect(terminal.stdin.raw).toBe(false)
    terminal.terminate()
    await terminal.shows('stopping after the running steps; Ctrl-C again stops at once')
    await progress.stop()
    expect(terminal.text()).toBe('')
  })

  test.each([
    [100, 12],
    [24, 8],
  ])('with 50 nodes fits on %d columns and %d rows', async (columns, rows) => {
    const { terminal, progress } = await painted({ columns, rows })
    const steps = Array.from({ length: 50 }, (_, i) => does(`node${i + 1}`, 'write a file with a long name'))
    progress.tell(plan(steps))
    for (const one of steps) progress.tell({ type: 'begin', ...at, step: one })
    await terminal.shows(/and \d+ more/)
    const lines = terminal.text().split('\n')
    expect(lines.length).toBeLessThan(rows)
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(columns)
    const shown = lines.filter(line => / node\d+: /.test(line)).length
    expect(terminal.text()).toContain(`and ${50 - shown} more`)
    for (const one of steps) progress.tell({ type: 'done', ...at, step: one, ms: 1 })
    await progress.stop()
    expect(terminal.text().replaceAll('\n', '')).toContain('node50')
  })

  test('has no colours where nobody wants any, and does not move where the terminal cannot', async () => {
    for (const env of [{}, { NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      const { terminal, progress } = await painted({ env })
      const one = does('n1', 'x')
      progress.tell({ type: 'begin', ...at, step: one })
      progress.tell({ type: 'failed', ...at, step: one, why: 'x', stderr: '' })
      await progress.stop()
      expect(terminal.text()).toBe('  n1: FAILED x')
      const colours = /\u001b\[[\d;]+m/.test(terminal.stdout.written)
      expect(colours, JSON.stringify(env)).toBe(Object.keys(env).length === 0)
      if ('TERM' in env) expect(terminal.stdout.written).not.toContain('\u001b')
    }
  })
})
