import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Scalar, stringify } from 'yaml'
import { commandLine } from '../../src/assets.ts'
import { readCluster } from '../../src/commands/machines/file.ts'
import { questionsOf } from '../../src/provision/actions/look.ts'
import { PROGRAM } from '../../src/provision/facts/ask.ts'
import type { Fact } from '../../src/provision/facts/fact.ts'
import { script } from '../../src/provision/facts/script.ts'
import { homeIn } from '../../test/helpers/cli.ts'
import type { Lab } from '../../test/lab/lab.ts'

export type Way = () => Promise<void>

// A playbook over many nodes takes minutes where the machine has other work.
const DEADLINE_MS = 1_200_000

/** Our command, as a process of its own. Throws with its output when it does not exit 0. */
export function cli(folder: string, args: string[]): Promise<void> {
  return run([...commandLine(), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...homeIn(folder) },
  })
}

/** One script per node with all the questions of `up`, over one ssh each, all at once. */
export async function bareScripts(lab: Lab, folder: string): Promise<Way> {
  const asked = await questions(folder)
  return async () => {
    await Promise.all(
      [...asked].map(([node, facts]) =>
        run(['ssh', '-F', lab.sshConfig, node, ...PROGRAM], { stdin: script(facts, 'bench') }),
      ),
    )
  }
}

/** The same over these nodes by `xargs -P`, as many at a time as there are nodes. */
export async function scriptsByXargs(lab: Lab, o: { folder: string; names: string[] }): Promise<Way> {
  const asked = await questions(o.folder, o.names)
  const scripts = join(o.folder, `scripts-${o.names.length}`)
  mkdirSync(scripts, { recursive: true })
  for (const [node, facts] of asked) writeFileSync(join(scripts, node), script(facts, 'bench'))
  const each = `ssh -F '${lab.sshConfig}' "$1" ${PROGRAM.join(' ')} <'${scripts}'/"$1" >/dev/null`
  const argv = ['xargs', '-P', String(o.names.length), '-I{}', 'sh', '-c', each, 'sh', '{}']
  return () => run(argv, { stdin: o.names.map(name => `${name}\n`).join('') })
}

/** A playbook with one task for each question, pipelined, all nodes at once, without gathering facts. */
export async function ansible(lab: Lab, folder: string): Promise<Way> {
  const asked = await questions(folder)
  // What all nodes are asked is one play, as a person would write it; what some are asked follows.
  const hosts = new Map<string, string[]>()
  for (const [node, facts] of asked)
    for (const { script } of facts) hosts.set(script, [...(hosts.get(script) ?? []), node])
  const plays = [...new Set([...hosts.values()].map(String))].map(some => ({
    hosts: some,
    gather_facts: false,
    tasks: [...hosts]
      .filter(([, nodes]) => String(nodes) === some)
      .map(([script], i) => ({
        name: `question ${i}`,
        'ansible.builtin.shell': { cmd: untouched(script) },
        changed_when: false,
      })),
  }))
  writeFileSync(join(folder, 'play.yaml'), stringify(plays, { lineWidth: 0 }))
  const inventory = lab.nodes.map(
    ({ name, address }) => `${name} ansible_host=${address} ansible_user=root\n`,
  )
  writeFileSync(join(folder, 'hosts'), inventory.join(''))
  const settings = `[defaults]
forks = ${lab.nodes.length}
inventory = hosts
interpreter_python = auto_silent
[ssh_connection]
pipelining = True
ssh_args = -F ${lab.sshConfig} -o ControlMaster=auto -o ControlPersist=60s
`
  writeFileSync(join(folder, 'ansible.cfg'), settings)
  // What every user of ansible has to do once.
  await Promise.all(
    lab.nodes.map(node =>
      node.run('command -v python3 >/dev/null || apt-get install -y python3 >/dev/null 2>&1'),
    ),
  )
  return () =>
    run(['ansible-playbook', 'play.yaml'], {
      cwd: folder,
      env: { ...process.env, HOME: folder, ANSIBLE_CONFIG: join(folder, 'ansible.cfg') },
    })
}

/** A text in which ansible looks for no templates. */
function untouched(text: string): Scalar {
  const scalar = new Scalar(text)
  scalar.tag = '!unsafe'
  return scalar
}

async function questions(folder: string, names?: string[]): Promise<Map<string, Fact<unknown>[]>> {
  const { cluster } = await readCluster({ file: join(folder, 'cluster.yaml') }, {
    cwd: folder,
    env: {},
  } as never)
  return questionsOf(
    cluster,
    cluster.nodes.filter(({ name }) => names?.includes(name) ?? true),
  )
}

function run(
  [program, ...args]: string[],
  o: { cwd?: string; env?: NodeJS.ProcessEnv; stdin?: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      cwd: o.cwd,
      env: o.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => (said = (said + chunk).slice(-4_000)))
    child.stdin.on('error', () => undefined)
    child.stdin.end(o.stdin ?? '')
    child.on('error', reject)
    child.on('close', code =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args[0]} exited ${code}:\n${said}`)),
    )
  })
}
