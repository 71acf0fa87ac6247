import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reportLines } from '../../src/commands/cluster/check-report.ts'
import { table } from '../../src/commands/views/table.ts'
import { EXIT } from '../../src/errors.ts'
import { type CheckedNode, type CheckReport, checkExit, type Judged } from '../../src/provision/index.ts'
import { step } from '../../src/provision/reconcile/step.ts'
import { runCli } from '../helpers/cli.ts'
import { tempFolder } from '../helpers/temp.ts'

const GiB = 2 ** 30
const node = (n: number, more: Partial<CheckedNode> = {}): CheckedNode => ({
  name: `n${n}`,
  address: `10.0.0.1${n}`,
  roles: ['control'],
  reached: true,
  system: 'Debian GNU/Linux 13 (trixie), amd64',
  cpus: 8,
  memory: { totalBytes: 32 * GiB, wantedBytes: 2.5 * GiB, reservedBytes: 0 },
  root: { sizeBytes: 100 * GiB, freeBytes: 61 * GiB },
  ...more,
})
const finding = (
  check: string,
  level: Judged['level'],
  node: string | undefined,
  says: string,
  fix?: string,
): Judged => ({
  check,
  level,
  ...(node && { node }),
  says,
  ...(fix && { fix }),
})
const lost: CheckedNode = { name: 'n3', address: '10.0.0.13', roles: ['worker'], reached: false }

const report: CheckReport = {
  cluster: 'halle',
  nodes: [node(1), node(2), lost],
  findings: [
    finding('connection', 'ok', 'n1', 'It answers, and lets us become root.'),
    finding('connection', 'bad', 'n3', 'n3 does not answer. connect ETIMEDOUT', 'Try it: ssh 10.0.0.13'),
    finding('clock', 'bad', 'n2', 'Its clock is 63 s ahead of the other nodes.', 'Look at its time service.'),
    finding('fsync', 'unknown', 'n2', 'It did not tell how quick its disk is: no answer within 15 s.'),
    finding('reboot', 'warn', 'n1', 'It waits for a reboot.', 'Reboot it before the cluster lives on it.'),
    finding('reboot', 'warn', 'n2', 'It waits for a reboot.', 'Reboot it before the cluster lives on it.'),
  ],
  repairs: [
    step({
      node: 'n2',
      says: 'start the time service chrony',
      risk: 'change',
      deadlineMs: 60_000,
      act: { do: 'run', argv: ['true'] },
    }),
  ],
}

test('the report shows each node in a line, then what is not fine, the worst first, nodes with the same together', async () => {
  await expect(`${reportLines(report, table).join('\n')}\n`).toMatchFileSnapshot('cluster-check/wrong.txt')
})

test('a report of machines that are fine is short', async () => {
  const fine = { ...report, nodes: [node(1), node(2)], findings: report.findings.slice(0, 1), repairs: [] }
  await expect(`${reportLines(fine, table).join('\n')}\n`).toMatchFileSnapshot('cluster-check/fine.txt')
})

test('who was not reached counts more than what is bad; what nobody knows is not fine', () => {
  const without = (...levels: string[]) => ({
    ...report,
    nodes: report.nodes.slice(0, 2),
    findings: report.findings.slice(2).filter(({ level }) => !levels.includes(level)),
  })
  expect(checkExit(report)).toBe(EXIT.unreachable)
  expect(checkExit(without())).toBe(EXIT.preflight)
  expect(checkExit(without('bad'))).toBe(EXIT.preflight)
  expect(checkExit(without('bad', 'unknown'))).toBe(EXIT.ok)
})

test('a node that refuses connections is reported in one document, and the exit code is 4', async () => {
  const folder = tempFolder()
  const lines = [
    'name: halle',
    'ssh: {user: ops, port: 9}',
    'nodes:',
    '  - {name: n1, address: localhost.example, ssh: {host: 127.0.0.1}, roles: [control]}',
  ]
  writeFileSync(join(folder, 'cluster.yaml'), `${lines.join('\n')}\n`)
  const { code, stdout } = await runCli(['cluster', 'check', '--output', 'json'], { folder })
  expect(code).toBe(EXIT.unreachable)
  expect(JSON.parse(stdout)).toMatchObject({
    cluster: 'halle',
    nodes: [{ name: 'n1', reached: false }],
    findings: [
      { check: 'connection', level: 'bad', node: 'n1', says: expect.stringContaining('ECONNREFUSED') },
    ],
  })
})

test('without a file there is nothing to check', async () => {
  const { code, stdout } = await runCli(['cluster', 'check'])
  expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' })
})

test('--yes without --fix is refused', async () => {
  const { code, stderr } = await runCli(['cluster', 'check', '--yes'])
  expect(code).toBe(EXIT.usage)
  expect(stderr).toContain('--yes does nothing without --fix')
})
