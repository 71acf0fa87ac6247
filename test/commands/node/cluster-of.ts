import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { run } from '../../../src/commands/program.ts'
import { type CliRun, homeIn, runCli } from '../../helpers/cli.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { FakeTerminal } from '../../helpers/terminal.ts'
import type { Bench } from '../../provision/connections/place.ts'
import type { Sshd } from '../../provision/connections/sshd.ts'

export interface Machine {
  name: string
  sshd: Pick<Sshd, 'port' | 'user' | 'key'>
  host?: string
  /** More of the node, and of its ssh, as YAML in one line. */
  more?: string
  ssh?: string
}

/** A folder with a cluster.yaml for sshds of this machine and an offline node, and the command line in it. */
export class ClusterOf {
  readonly folder = tempFolder()
  readonly machines: Machine[]

  constructor(machines: Machine[], o: { ssh?: string } = {}) {
    this.machines = machines
    const lines = [
      'name: halle',
      `ssh: {user: ${machines[0]!.sshd.user}${o.ssh ? `, ${o.ssh}` : ''}}`,
      'nodes:',
      ...machines.map(lineOf),
      '  - {name: old, address: 10.0.0.99, roles: [compute], labels: {rack: r9}, state: offline}',
    ]
    writeFileSync(join(this.folder, 'cluster.yaml'), `${lines.join('\n')}\n`)
  }

  get knownHosts(): string {
    return join(this.folder, 'state/llmagentos/halle/known_hosts')
  }

  cli(...args: string[]): Promise<CliRun> {
    return runCli(args, { folder: this.folder })
  }

  /** At a terminal; what is printed and what is asked stand on it together. */
  at(terminal: FakeTerminal, ...args: string[]): Promise<number> {
    return run(args, { ...terminal.io(), env: homeIn(this.folder), cwd: this.folder })
  }

  /** A run without what differs from time to time: nodes answer in any order. */
  masked({ code, stdout, stderr }: CliRun): string {
    const text = `exit ${code}\n${byNode(stdout)}${stderr && `--- stderr\n${byNode(stderr)}`}`
    return this.mask(text)
  }

  mask(text: string): string {
    return this.machines
      .reduce((text, { name, sshd }) => text.replaceAll(String(sshd.port), `PORT-${name}`), text)
      .replaceAll(this.folder, 'FOLDER')
      .replace(/SHA256:[\w+/]{43}/g, 'SHA256:FINGERPRINT')
  }
}

/** Three nodes whose host keys are known. */
export async function three(bench: Bench): Promise<{ sshds: Sshd[]; cluster: ClusterOf }> {
  const sshds = [await bench.sshd(), await bench.sshd(), await bench.sshd()]
  const more = ['roles: [control]', 'roles: [worker], labels: {gpu: h200}', 'roles: [worker]']
  const cluster = new ClusterOf(sshds.map((sshd, i) => ({ name: `n${i + 1}`, sshd, more: more[i] })))
  expect(await cluster.cli('node', 'list', '--accept-new-host-keys')).toMatchObject({ code: 0 })
  return { sshds, cluster }
}

export const terminal = () => new FakeTerminal({ columns: 200, rows: 40 })

function lineOf({ name, sshd, host = '127.0.0.1', more, ssh }: Machine, i: number): string {
  const way = `host: ${host}, port: ${sshd.port}, identityFile: ${sshd.key}${ssh ? `, ${ssh}` : ''}`
  const rest = more ?? `roles: [${i === 0 ? 'control' : 'worker'}]`
  return `  - {name: ${name}, address: 10.0.0.${11 + i}, ssh: {${way}}, ${rest}}`
}

/** Lines of nodes, those of the first node first. */
function byNode(text: string): string {
  const nodeOf = (line: string) => /^(n\d) +\| /.exec(line)?.[1] ?? ''
  const lines = text.split('\n')
  return lines.every(line => line === '' || nodeOf(line) !== '')
    ? `${lines
        .filter(Boolean)
        .toSorted((a, b) => nodeOf(a).localeCompare(nodeOf(b)))
        .map(line => `${line}\n`)
        .join('')}`
    : text
}
