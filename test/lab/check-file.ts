import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { CheckReport } from '../../src/provision/index.ts'
import { type CliRun, runCli } from '../helpers/cli.ts'
import type { Lab } from './lab.ts'

export interface FileOptions {
  /** In place of all nodes of the lab, of which the first is control. */
  nodes?: string[]
  /** More of the file, as a line. */
  more?: string
}

/** A cluster.yaml for nodes of a lab, in the folder. */
export function writeCluster(lab: Lab, folder: string, o: FileOptions): void {
  const all = lab.nodes.map(
    ({ name, address }, i) => `{name: ${name}, address: ${address}, roles: [${i ? 'worker' : 'control'}]}`,
  )
  const lines = [
    'name: halle',
    `ssh: {user: ops, identityFile: ${lab.key}}`,
    ...(o.more ? [o.more] : []),
    'nodes:',
    ...(o.nodes ?? all).map(node => `  - ${node}`),
  ]
  writeFileSync(join(folder, 'cluster.yaml'), `${lines.join('\n')}\n`)
}

/** `cluster check` of the file in the folder. */
export const checkIn = (folder: string, ...args: string[]): Promise<CliRun> =>
  runCli(['cluster', 'check', '--accept-new-host-keys', ...args], { folder, env: { SSH_AUTH_SOCK: '' } })

/** What it printed as JSON, and in short what is not fine: level, node, check. */
export function reportOf({ code, stdout, stderr }: CliRun) {
  expect(stdout, stderr).not.toBe('')
  const report = JSON.parse(stdout) as CheckReport
  // The disk is this machine's, and as busy as that is.
  const notFine = report.findings.filter(
    f => f.level !== 'ok' && !(f.check === 'fsync' && f.level === 'warn'),
  )
  return { code, report, notFine: notFine.map(({ level, node, check }) => [level, node, check]) }
}
