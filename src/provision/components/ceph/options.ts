import type { Step } from '../../reconcile/step.ts'
import type { View } from '../component.ts'
import { fileOptions } from './file/names.ts'
import type { Config } from './schema.ts'
import { tell } from './tell.ts'
import type { Told } from './told.ts'

const KEPT = 'llmagentos/config/'

/**
 * Options of the file, by `ceph config`. What we set is remembered in the cluster, with what Ceph made of it (4Gi becomes 4294967296): so
 * an option that left the file is taken away, and one that somebody else set stays.
 */
export function optionSteps({ config }: View<Config>, o: { node: string; told: Told }): Step[] {
  const all = Object.entries({ ...fileOptions(config), ...config.config })
  const wanted = new Map(all.map(([name, value]) => [named(name), String(value)]))
  const ours = Object.keys(o.told.kept)
    .filter(key => key.startsWith(KEPT))
    .map(key => key.slice(KEPT.length))
  return [
    ...[...wanted]
      .filter(([name, value]) => !isSet(o.told, name, value))
      .map(([name, value]) => set(o, name, value)),
    ...ours.filter(name => !wanted.has(name)).map(name => unset(o, name)),
  ]
}

/** `SECTION/OPTION`. */
const named = (name: string) => (name.includes('/') ? name : `global/${name}`)

function isSet({ kept, config }: Told, name: string, wanted: string): boolean {
  const remembered = kept[KEPT + name]
  if (remembered === undefined) return false
  const { who, option } = split(name)
  const was = JSON.parse(remembered) as { wanted: string; became: string }
  const now = config.find(one => one.section === who && one.name === option)?.value
  return was.wanted === wanted && was.became === now
}

function set({ node, told }: { node: string; told: Told }, name: string, value: string): Step {
  const { who, option } = split(name)
  const now = told.config.find(one => one.section === who && one.name === option)?.value
  return tell({
    node,
    says: `set ${option} of ${who} to ${value}${now === undefined || now === value ? '' : `, in place of ${now}`}`,
    risk: now === undefined ? 'add' : 'change',
    commands: [
      {
        cmd: { prefix: 'config set', who, name: option, value },
        remember: { key: KEPT + name, wanted: value },
      },
    ],
  })
}

function unset({ node }: { node: string }, name: string): Step {
  const { who, option } = split(name)
  return tell({
    node,
    says: `take away ${option} of ${who}: the file no longer says it`,
    risk: 'change',
    commands: [
      { cmd: { prefix: 'config rm', who, name: option } },
      { cmd: { prefix: 'config-key rm', key: KEPT + name } },
    ],
  })
}

function split(name: string): { who: string; option: string } {
  const [who = '', option = ''] = name.split('/')
  return { who, option }
}
