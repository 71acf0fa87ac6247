import type { WantedNode } from '../../../cluster/cluster.ts'
import type { Facts } from '../../../facts/fact.ts'
import { kept } from '../../../facts/kept.ts'
import type { Finding, View } from '../../component.ts'
import type { Config } from '../schema.ts'
import type { Told } from '../told.ts'
import { type Look, looks } from './look.ts'
import { mdsName, mdsNodes, mdsUnit, mountsOf } from './names.ts'
import { fsIn } from './told.ts'

/** Whether the file system is served, whether it would be without one of its servers, and how each mount is. */
export function fileFindings(view: View<Config>, facts: Facts, told: Told): Finding[] {
  if (view.config.file === false || told.osds.osds.length === 0) return []
  const mounts = view.nodes.flatMap(node =>
    mountFindings(view.config, { node, facts }).map(said => ({ ...said, node: node.name })),
  )
  return [...serving(view, facts, told), ...mounts]
}

function serving(view: View<Config>, facts: Facts, told: Told): Finding[] {
  const system = fsIn(told)
  if (!system) return [{ level: 'bad', says: 'The file system is not there yet.', fix: 'Run `cluster up`.' }]
  const servers = mdsNodes(view.cluster, view.config)
  const nodeOf = (server: string) => servers.find(({ name }) => mdsName(name) === server)?.name ?? server
  const known = [...system.active, ...system.coming, ...system.standbys]
  const lacking = servers.filter(({ name }) => !known.includes(mdsName(name)))
  const [active] = system.active
  const gone = lacking.map(
    ({ name }): Finding => ({
      node: name,
      level: active ? 'warn' : 'bad',
      says: `Its metadata server ${stateOf(name, { view, facts })}.`,
      fix: 'Run `cluster up`.',
    }),
  )
  if (!active)
    return [
      {
        level: 'bad',
        says: system.coming.length
          ? `${system.coming.map(nodeOf).join(', ')} takes over the file system: files wait until it is done.`
          : 'No metadata server serves the file system: files wait until one is back.',
        fix: 'Bring one of their nodes up, or run `cluster up`.',
      },
      ...gone,
    ]
  const alone: Finding = {
    level: 'warn',
    says: `${nodeOf(active)} alone serves the file system: when it goes, files wait until it is back.`,
    fix: servers.length > 1 ? 'Bring the other metadata server up.' : 'Give a second storage node disks.',
  }
  const fine: Finding = {
    level: 'ok',
    says: `The file system is served by ${nodeOf(active)}, and ${system.standbys.map(nodeOf).join(', ')} stands by.`,
  }
  return [system.standbys.length > 0 ? fine : alone, ...gone]
}

function stateOf(node: string, { view, facts }: { view: View<Config>; facts: Facts }): string {
  if (!view.nodes.some(({ name }) => name === node)) return 'is unknown to the monitors'
  const manifest = facts.peek(node, kept)
  const active = manifest.known ? manifest.value.units.get(mdsUnit(node))?.active : undefined
  return active === 'active' ? 'runs, and is unknown to the monitors' : `is ${active ?? 'not there yet'}`
}

type Said = Omit<Finding, 'node'>

function mountFindings(config: Config, o: { node: WantedNode; facts: Facts }): Said[] {
  const paths = mountsOf(config, o.node)
  if (paths.length === 0) return []
  const answer = o.facts.peek(o.node.name, looks(config, o.node))
  if (!answer.known) return [{ level: 'unknown', says: `It did not tell how its mounts are: ${answer.why}.` }]
  return paths.map(path => mountFinding(path, answer.value[path]!))
}

function mountFinding(path: string, look: Look): Said {
  switch (look.state) {
    case 'answers':
      return { level: 'ok', says: `The file system is mounted at ${path}, and answers.` }
    case 'hangs':
      return {
        level: 'unknown',
        says: `${path} does not answer: whoever uses it waits.`,
        fix: 'It goes on by itself once monitors, disks and a metadata server answer.',
      }
    case 'dead':
      return { level: 'bad', says: `The mount at ${path} is dead (${look.why}).`, fix: 'Run `cluster up`.' }
    case 'free':
      return { level: 'bad', says: `The file system is not mounted at ${path}.`, fix: 'Run `cluster up`.' }
    case 'in the way':
      return {
        level: 'bad',
        says: `The file system is not seen at ${path}: ${look.why}.`,
        fix: 'Move away what is there, then run `cluster up`.',
      }
  }
}
