import type { CheckedNode, CheckReport, Judged } from '../../provision/index.ts'

type Table = (heads: string[], rows: string[][]) => string

const LEVELS = ['bad', 'unknown', 'warn'] as const

/** The report for people: a line per node, then what is not fine, the worst first; nodes with the same finding together. */
export function reportLines(report: CheckReport, table: Table): string[] {
  const rows = report.nodes.map(node => [
    node.name,
    node.address,
    node.system ?? '-',
    node.cpus === undefined ? '-' : String(node.cpus),
    node.memory
      ? `${gib(node.memory.wantedBytes + node.memory.reservedBytes)} of ${gib(node.memory.totalBytes)}`
      : '-',
    node.root ? `${gib(node.root.freeBytes)} of ${gib(node.root.sizeBytes)}` : '-',
    verdict(node, report.findings),
  ])
  const heads = ['NODE', 'ADDRESS', 'SYSTEM', 'CPUS', 'MEMORY WANTED', 'FREE ON /', 'FOUND']
  const told = LEVELS.flatMap(level => together(report.findings.filter(finding => finding.level === level)))
  return [
    table(heads, rows),
    '',
    ...told.flatMap(lines),
    ...(told.length > 0 ? [''] : []),
    ending(report),
    ...offer(report),
  ]
}

const offer = ({ repairs }: CheckReport): string[] =>
  repairs.length > 0
    ? ['', 'With --fix it would:', ...repairs.map(({ node, says }) => `  ${node}: ${says}`)]
    : []

interface Together extends Judged {
  nodes: string[]
}

function together(findings: Judged[]): Together[] {
  const groups = new Map<string, Together>()
  for (const finding of findings) {
    const key = JSON.stringify([finding.check, finding.says, finding.fix])
    const group = groups.get(key) ?? { ...finding, nodes: [] }
    if (finding.node !== undefined) group.nodes.push(finding.node)
    groups.set(key, group)
  }
  return [...groups.values()]
}

const lines = ({ level, nodes, says, fix }: Together): string[] => [
  `${level.padEnd(7)} ${nodes.length > 0 ? `${nodes.join(', ')}: ` : ''}${says}`,
  ...(fix ? [`        fix: ${fix}`] : []),
]

function verdict({ name, reached }: CheckedNode, findings: Judged[]): string {
  if (!reached) return 'not reached'
  return counts(findings.filter(({ node }) => node === name)) || 'fine'
}

function ending({ cluster, nodes, findings }: CheckReport): string {
  const count = `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} of ${cluster}`
  const lost = nodes.filter(({ reached }) => !reached).length
  const found = [...(lost > 0 ? [`${lost} not reached`] : []), counts(findings)].filter(Boolean)
  return `${count}: ${found.join(', ') || (nodes.length === 1 ? 'it is fine' : 'all are fine')}.`
}

function counts(findings: Judged[]): string {
  const count = (level: Judged['level']) => findings.filter(finding => finding.level === level).length
  const [bad, unknown, warn] = [count('bad'), count('unknown'), count('warn')]
  return [
    ...(bad > 0 ? [`${bad} bad`] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(warn > 0 ? [`${warn} ${warn === 1 ? 'warning' : 'warnings'}`] : []),
  ].join(', ')
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1).replace(/\.0$/, '')} GiB`
