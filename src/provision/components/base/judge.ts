import type { WantedNode } from '../../cluster/cluster.ts'
import type { Fact, Facts } from '../../facts/fact.ts'
import type { Names } from '../../facts/names.ts'
import { packages } from '../../facts/packages.ts'
import { type Reboot, reboot } from '../../facts/reboot.ts'
import { type Time, time } from '../../facts/time.ts'
import type { Finding, View } from '../component.ts'
import { addressOf, fullName, namesFact } from './addresses.ts'
import { type Firewall, firewall } from './firewall/fact.ts'
import { portsOn, wantedRules } from './firewall/index.ts'
import { sshPorts } from './firewall/sshd.ts'

type Said = Omit<Finding, 'node'>

/** How clock, names, firewall and packages of each node are. */
export const judge = (view: View<unknown>, facts: Facts): Finding[] =>
  view.nodes.flatMap(node => {
    const o = { view, facts, node }
    return [
      ...about(time, { ...o, what: 'how its clock is kept', says: clock }),
      ...about(namesFact(view), { ...o, what: 'what names mean there', says: meaning }),
      ...about(firewall, { ...o, what: 'how its firewall is', says: besideSshd }),
      ...about(reboot, { ...o, what: 'whether it waits for a reboot', says: waiting }),
      ...about(packages, { ...o, what: 'its packages', says: ({ broken }) => interrupted(broken) }),
    ].map(said => ({ ...said, node: node.name }))
  })

interface On {
  view: View<unknown>
  facts: Facts
  node: WantedNode
}

function about<T>(fact: Fact<T>, o: On & { what: string; says(value: T, on: On): Said[] }): Said[] {
  const answer = o.facts.peek(o.node.name, fact)
  if (!answer.known) return [{ level: 'unknown', says: `It did not tell ${o.what}: ${answer.why}.` }]
  return o.says(answer.value, o)
}

function clock({ service, synchronised, canSet }: Time, { view, node }: On): Said[] {
  if (synchronised)
    return [{ level: 'ok', says: `${canSet && service ? service : 'Its host'} keeps its clock.` }]
  if (!canSet)
    return [
      {
        level: 'unknown',
        says: "Its clock is its host's, and cannot be set from here.",
        fix: 'Let the host keep its clock right.',
      },
    ]
  return [
    {
      level: view.exactTime?.has(node.name) ? 'bad' : 'warn',
      says: service ? `${service} runs, and has not found the time.` : 'Nothing keeps its clock right.',
      fix: 'It needs a time server (UDP 123): site/time in the file names those of your site.',
    },
  ]
}

function meaning(found: Names, { view, facts, node }: On): Said[] {
  const wrong = view.cluster.nodes.flatMap((of): Said[] => {
    const name = fullName(view.cluster, of)
    const address = addressOf(of, { view, facts, from: node })
    const answers = found.get(name) ?? []
    if (address === undefined)
      return [
        {
          level: 'bad',
          says: `${of.address} means nothing there.`,
          fix: `Write an IP address for ${of.name}.`,
        },
      ]
    if (answers.length === 1 && answers[0] === address) return []
    const others = answers.filter(answer => answer !== address)
    return [
      {
        level: 'bad',
        says:
          others.length > 0 ? `${name} means ${others.join(' and ')} there.` : `${name} means nothing there.`,
        fix:
          others.length > 0 ? `Take ${name} out of the other lines of its /etc/hosts.` : 'Run `cluster up`.',
      },
    ]
  })
  return wrong.length > 0 ? wrong : [{ level: 'ok', says: 'Names mean the right addresses.' }]
}

/** Strict rules cannot be compared by who does not know where sshd listens. */
const besideSshd = (now: Firewall, on: On): Said[] =>
  on.view.cluster.firewall.mode === 'strict'
    ? about(sshPorts, { ...on, what: 'where its sshd listens', says: () => filtered(now, on) })
    : filtered(now, on)

function filtered(now: Firewall, { view, facts, node }: On): Said[] {
  const ports = portsOn(view, node).filter(port => port.from !== 'loopback')
  if (view.cluster.firewall.mode === 'check') {
    if (ports.length === 0) return [{ level: 'ok', says: 'No port of ours wants a firewall.' }]
    const list = ports.map(
      p => `${p.protocol} ${p.port} (${p.by}, for ${p.from === 'public' ? 'clients' : 'the nodes'})`,
    )
    const others = now.others.length > 0 ? now.others.join(' and ') : 'nothing that we know of'
    return [
      {
        level: 'warn',
        says: `Its firewall is yours (firewall/mode: check); ${others} filters ${list.join(', ')}.`,
        fix: 'Let in who needs them, and nobody else; or write mode: ours.',
      },
    ]
  }
  const rules = wantedRules(view, facts, node)
  if (!rules) return [{ level: 'ok', says: 'It has no ports of ours to filter.' }]
  if (now.digest === rules.digest && now.untouched && !now.onTrial)
    return [{ level: 'ok', says: 'Its firewall is as planned.' }]
  return [{ level: 'bad', says: 'Its firewall is not as planned.', fix: 'Run `cluster up`.' }]
}

function waiting({ wantedBy, newerKernel }: Reboot): Said[] {
  if (wantedBy.length === 0 && !newerKernel) return []
  const why =
    wantedBy.length > 0 ? `${wantedBy.join(', ')} asked for it` : `kernel ${newerKernel} is installed`
  return [
    { level: 'warn', says: `It waits for a reboot: ${why}.`, fix: 'Reboot it when its work can pause.' },
  ]
}

const interrupted = (broken: string[]): Said[] =>
  broken.length === 0
    ? []
    : [
        {
          level: 'warn',
          says: `dpkg was interrupted in ${broken.join(', ')}.`,
          fix: 'Run `dpkg --configure -a` there.',
        },
      ]
