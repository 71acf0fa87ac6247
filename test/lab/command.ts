import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { EXIT, Failure } from '../../src/errors.ts'
import { findLab, keepLab, type Lab, openLab, SUITES, type Wanted } from './lab.ts'
import { labs, lives, type Record, recordOf } from './parts/files.ts'
import { removeLab, removeLeftovers } from './parts/remove.ts'

const USAGE = `npm run lab -- VERB

  up COUNT [--suite trixie|bookworm] [--bare] [--hold]   machines n1, n2 ...; again: starts and adds what is missing
  status                                                 every lab on this machine
  ssh NODE [CMD...]                                      as root; ops@NODE or ops-ask@NODE for others
  kill|start|reboot|cut|heal NODE                        power and network cable
  disk NODE [--size 6G]                                  a blank disk
  rgw NODE                                               a Ceph on this one node; prints a config of a store on it
  down                                                   ends and removes everything of the lab
  sweep                                                  removes the labs whose process is gone; 1 when there were any

  vm up|down|status|kill|start|reboot|disk|ssh [CMD...]  one virtual machine with Debian's own kernel (a lab named vm)

  --name NAME  which lab (default: lab)
  --bare       only what a Debian installer leaves with an SSH server
  --hold       the lab lives as long as this command: Ctrl-C takes it down
`

const LAB = 'lab'

const OPTIONS = {
  name: { type: 'string' },
  suite: { type: 'string' },
  size: { type: 'string' },
  bare: { type: 'boolean' },
  hold: { type: 'boolean' },
} as const

type Flags = ReturnType<typeof parsed>['values'] & { name: string; guest?: boolean }
type Verb = (args: string[], flags: Flags) => Promise<number | undefined>

/** `npm run lab`. Returns the exit code. */
export async function main(argv: string[]): Promise<number> {
  try {
    const { verb, args, flags } = split(argv)
    const run = VERBS[verb ?? '']
    if (run) return (await run(args, flags)) ?? 0
    process.stderr.write(USAGE)
    return verb === undefined || verb === 'help' ? 0 : EXIT.usage
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    const lines = [thrown.message, thrown.why, thrown.next].filter(Boolean)
    process.stderr.write(`${lines.join('\n')}\n`)
    return thrown.exit
  }
}

const VERBS: { [verb: string]: Verb } = {
  vm,
  up,
  status,
  ssh,
  kill,
  start,
  reboot,
  cut,
  heal,
  disk,
  rgw,
  down,
  sweep,
}

/** The same verbs for a lab of one node that is a virtual machine. */
async function vm([verb = '', ...args]: string[], flags: Flags): Promise<number | undefined> {
  const run = verb === 'vm' ? undefined : VERBS[verb]
  if (!run) throw wrong(USAGE)
  const name = flags.name === LAB ? 'vm' : flags.name
  return run([verb === 'up' ? '1' : 'vm', ...args], { ...flags, name, guest: true })
}

async function up([count]: string[], flags: Flags): Promise<undefined> {
  const began = performance.now()
  const lab = await (flags.hold ? openLab : keepLab)(wanted(count, flags))
  show(lab)
  say(
    `Up in ${((performance.now() - began) / 1000).toFixed(1)} s. By ssh: ssh -F ${lab.sshConfig} ${lab.nodes[0]!.name}`,
  )
  if (!flags.hold) return
  const keepsAlive = setInterval(() => {}, 60_000)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  clearInterval(keepsAlive)
  await lab.close()
}

async function status(): Promise<undefined> {
  if (labs().length === 0) say('No lab is up.')
  for (const { name, owner } of labs()) {
    const lab = findLab(name)
    const whose = !owner ? 'stays' : lives(owner) ? `of process ${owner.pid}` : 'left over'
    say(`${name} (${recordOf(name)?.suite}, ${recordOf(name)?.flavour}, ${whose})`)
    if (lab) show(lab)
  }
}

/** Words of a command go to the shell of the node as they are, like with ssh itself. */
async function ssh([at = '', ...command]: string[], flags: Flags): Promise<number> {
  const [user, name] = at.includes('@') ? at.split('@') : ['root', at]
  const lab = theLab(flags)
  const words = ['-F', lab.sshConfig, `${user}@${lab.node(name!).name}`, ...command]
  return spawnSync('ssh', words, { stdio: 'inherit' }).status ?? 255
}

async function kill([name = '']: string[], flags: Flags): Promise<undefined> {
  await theLab(flags).node(name).kill()
}

async function start([name = '']: string[], flags: Flags): Promise<undefined> {
  await theLab(flags).node(name).start()
}

async function reboot([name = '']: string[], flags: Flags): Promise<undefined> {
  await theLab(flags).node(name).reboot()
}

async function cut([name = '']: string[], flags: Flags): Promise<undefined> {
  theLab(flags).node(name).cut()
}

async function heal([name = '']: string[], flags: Flags): Promise<undefined> {
  theLab(flags).node(name).heal()
}

async function disk([name = '']: string[], flags: Flags): Promise<undefined> {
  say(await theLab(flags).node(name).addDisk(flags.size))
}

async function rgw([name = '']: string[], flags: Flags): Promise<undefined> {
  const lab = theLab(flags)
  const { startRgw } = await import('./ceph/rgw.ts')
  const ceph = await startRgw(lab, lab.node(name))
  say(JSON.stringify({ s3: await ceph.config() }, null, 2))
}

async function down(_: string[], flags: Flags): Promise<undefined> {
  for (const name of await removeLeftovers()) say(`Removed what the lab ${name} had left.`)
  const owner = recordOf(flags.name)?.owner
  if (owner)
    throw new Failure(`The lab ${flags.name} is in use by process ${owner.pid}.`, { exit: EXIT.locked })
  if (!recordOf(flags.name)) return say(`There is no lab ${flags.name}.`)
  await removeLab(flags.name)
  say(`The lab ${flags.name} is gone.`)
}

async function sweep(): Promise<number> {
  const ended = (lab: Record) => lab.run?.pid === Number(process.env['LLMAGENTOS_LAB_RUN'])
  const left = await removeLeftovers(ended)
  for (const name of left) say(`Left behind, and removed: the lab ${name}`)
  return left.length === 0 ? 0 : EXIT.ours
}

function wanted(count: string | undefined, flags: Flags): Wanted & { name: string } {
  const suite = SUITES.find(name => name === flags.suite)
  if (flags.suite && !suite) throw wrong(`The suites are ${SUITES.join(' and ')}, not ${flags.suite}.`)
  const nodes = Number(count)
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 200)
    throw wrong('up wants a number of nodes, 1 to 200.')
  if (flags.guest) return { name: flags.name, nodes: ['vm'], suite, flavour: 'guest' }
  return { name: flags.name, nodes, suite, flavour: flags.bare ? 'bare' : undefined }
}

function theLab(flags: Flags): Lab {
  const lab = findLab(flags.name)
  if (!lab) throw wrong(`There is no lab ${flags.name}: npm run lab -- up 3 makes one.`)
  return lab
}

function show(lab: Lab): void {
  for (const node of lab.nodes)
    say(`  ${node.name.padEnd(8)} ${node.address.padEnd(15)} ${node.running() ? 'on' : 'off'}`)
}

/** The words after `ssh NODE`, or `vm ssh`, are the node's, options among them. */
function split(argv: string[]): { verb: string | undefined; args: string[]; flags: Flags } {
  const { tokens } = parseArgs({ args: argv, options: OPTIONS, strict: false, tokens: true })
  const [first, second] = tokens.filter(token => token.kind === 'positional')
  const toNode = first?.value === 'ssh' || (first?.value === 'vm' && second?.value === 'ssh')
  const ours = toNode && second ? second.index + 1 : argv.length
  const { values, positionals } = parsed(argv.slice(0, ours))
  const [verb, ...args] = positionals
  return { verb, args: [...args, ...argv.slice(ours)], flags: { ...values, name: values.name ?? LAB } }
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true })
  } catch (thrown) {
    throw wrong(`${(thrown as Error).message}\n\n${USAGE}`)
  }
}

const wrong = (what: string) => new Failure(what, { exit: EXIT.usage })
const say = (line: string): undefined => void process.stdout.write(`${line}\n`)
