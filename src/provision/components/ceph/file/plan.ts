import type { Facts } from '../../../facts/fact.ts'
import { kept } from '../../../facts/kept.ts'
import { type Step, step, type Wave } from '../../../reconcile/step.ts'
import type { View } from '../../component.ts'
import { poolSteps, poolsServe } from '../pools.ts'
import type { Config } from '../schema.ts'
import { tell } from '../tell.ts'
import type { Told } from '../told.ts'
import { DATA, FILE_POOLS, FS, METADATA, mdsName, mdsNodes, mdsUnit } from './names.ts'
import { fsIn } from './told.ts'

const SERVES_MS = 2 * 60_000

/** Pools, then servers, which stand by; then the file system, which takes one of them; then mounts. Servers restart one after the other. */
export function fileWaves(o: {
  view: View<Config>
  facts: Facts
  up: { node: string; told: Told }
  servers: Step[]
  mounts: Step[]
}): Wave[] {
  const { view, facts, up, servers, mounts } = o
  if (view.config.file === false || up.told.osds.osds.length === 0) return []
  const pools = poolSteps(view, up, FILE_POOLS)
  if (pools.length > 0) return [{ says: 'ceph: pools of the file system', steps: pools }]
  if (!poolsServe(view, up.told, FILE_POOLS)) return []
  const wave = (says: string, steps: Step[]): Wave[] => (steps.length > 0 ? [{ says, steps }] : [])
  const first = servers.filter(one => one.risk !== 'restart')
  const system = fsIn(up.told)
  const lacking = system ? [] : [makeFs(up.node)]
  const runs = first.length > 0 || mdsNodes(view.cluster, view.config).some(({ name }) => isUp(name, facts))
  const waits = runs && !system?.active.length ? [served(up.node)] : []
  return [
    ...wave('ceph: metadata servers', first),
    ...wave('ceph: the file system', [...lacking, ...waits]),
    ...inOrder(servers, system?.active ?? []).flatMap(one =>
      wave(`ceph: restart the metadata server of ${one.node}`, [one, ...after(up.node, one.node)]),
    ),
    ...wave(
      'ceph: mounts',
      mounts.filter(one => one.risk !== 'restart'),
    ),
    ...mounts
      .filter(one => one.risk === 'restart')
      .flatMap(one => wave(`ceph: mount anew on ${one.node}`, [one])),
  ]
}

/** Those that stand by first, so that one of them takes over from the one that serves. */
const inOrder = (servers: Step[], active: string[]) =>
  servers
    .filter(one => one.risk === 'restart')
    .toSorted((a, b) => Number(active.includes(mdsName(a.node))) - Number(active.includes(mdsName(b.node))))

function isUp(node: string, facts: Facts): boolean {
  const answer = facts.peek(node, kept)
  return answer.known && answer.value.units.get(mdsUnit(node))?.active === 'active'
}

const makeFs = (node: string): Step =>
  tell({
    node,
    says: `make the file system ${FS}`,
    commands: [{ cmd: { prefix: 'fs new', fs_name: FS, metadata: METADATA, data: DATA } }],
  })

// Arguments: the file system, and a server that has to be known to the mons, if any.
const SERVES = `ceph --connect-timeout 20 --format json fs dump 2>/dev/null | python3 -c '
import json, sys
name, server = (sys.argv[1:] + [None])[:2]
told = json.load(sys.stdin)
maps = [one["mdsmap"] for one in told["filesystems"] if one["mdsmap"]["fs_name"] == name]
info = [one for m in maps for one in m["info"].values()]
if not any(one["state"] == "up:active" for one in info):
    sys.exit("no metadata server serves %s yet: %s" % (name, ", ".join(one["name"] + " is " + one["state"] for one in info) or "none has taken it"))
if server and server not in [one["name"] for one in info + told["standbys"]]:
    sys.exit("the monitors have not heard of the metadata server %s yet" % server)
' "$@"`

const served = (node: string, o: { says: string; words: string[] } = ANY): Step =>
  step({
    node,
    says: o.says,
    risk: 'add',
    deadlineMs: SERVES_MS,
    act: { do: 'wait', argv: ['sh', '-c', SERVES, 'sh', FS, ...o.words] },
  })

const ANY = { says: 'wait until a metadata server serves the file system', words: [] }

const after = (control: string, node: string): Step[] => [
  served(control, {
    says: `wait until the file system is served, and the metadata server of ${node} is back`,
    words: [mdsName(node)],
  }),
]
