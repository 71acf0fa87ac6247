import type { Finding } from '../component.ts'
import type { HealthCheck, Told } from './told.ts'

type Said = Omit<Finding, 'node'>

/** What Ceph itself warns of, each in a sentence that says what it means and what to do. */
export function healthOf({ health }: Told): Said[] {
  const checks = Object.entries(health.checks).filter(([, check]) => !check.muted)
  return checks.map(([code, check]) => said(code, check))
}

function said(code: string, check: HealthCheck): Said {
  const level = check.severity === 'HEALTH_ERR' ? 'bad' : 'warn'
  const { message } = check.summary
  const known = KNOWN.find(one => one.code === code && (!one.when || one.when(check)))
  if (known?.instead) return { level: 'warn', says: known.instead(check), fix: known.fix }
  const text = message.charAt(0).toUpperCase() + message.slice(1).replace(/\.$/, '')
  return {
    level,
    says: `${text} (${code})${known ? `: ${known.means}` : ''}.`,
    fix: known?.fix ?? 'Look at `ceph health detail` on a control node.',
  }
}

interface Known {
  code: string
  means: string
  fix: string
  when?(check: HealthCheck): boolean
  /** For a defect of a distribution: said in place of Ceph's own words. */
  instead?(check: HealthCheck): string
}

const subinterpreters = (check: HealthCheck) =>
  [check.summary, ...(check.detail ?? [])].some(({ message }) => message.includes('PyO3 modules'))

const withoutModules = ({ detail = [] }: HealthCheck) => {
  const names = detail.flatMap(({ message }) => /^Module '([^']+)'/.exec(message)?.[1] ?? [])
  return `Debian 13's Ceph cannot load ${names.length || 'some'} modules of its manager${names.length > 0 ? ` (${names.join(', ')})` : ''}: a known defect of its packages. Placement groups and balance are not adjusted by themselves; the data is safe.`
}

const KNOWN: Known[] = [
  {
    code: 'MGR_MODULE_DEPENDENCY',
    when: subinterpreters,
    instead: withoutModules,
    means: '',
    fix: 'Nothing has to be done: pg_num is set when a pool is made. Packages of the Ceph project do not have it.',
  },
  {
    code: 'MGR_MODULE_ERROR',
    when: subinterpreters,
    instead: withoutModules,
    means: '',
    fix: 'Nothing has to be done: pg_num is set when a pool is made. Packages of the Ceph project do not have it.',
  },
  {
    code: 'MON_DOWN',
    means: 'a monitor is not in the quorum; when most are not, all storage stands still',
    fix: 'Bring the node up, or run `cluster up`.',
  },
  {
    code: 'MON_CLOCK_SKEW',
    means: 'clocks of the monitors differ by more than 0.05 s, and by more they lose their quorum',
    fix: 'Look at the time service of these nodes: chronyc tracking.',
  },
  {
    code: 'MON_DISK_LOW',
    means: 'a disk with the store of a monitor fills up; at 5 % the monitor stops',
    fix: 'Free space on the disk with /var/lib/ceph/mon of these nodes.',
  },
  {
    code: 'MON_DISK_CRIT',
    means: 'the disk with the store of a monitor is nearly full, and the monitor will stop',
    fix: 'Free space there now.',
  },
  {
    code: 'MGR_DOWN',
    means: 'no manager counts, so figures stand still; data is served all the same',
    fix: 'Run `cluster up`.',
  },
  {
    code: 'OSD_DOWN',
    means: 'a disk is not served; after ten minutes its copies are made anew elsewhere',
    fix: 'Bring the node up, or look at the disk: llmagentos node disk list.',
  },
  {
    code: 'TOO_FEW_OSDS',
    means: 'there are fewer disks than copies of each object',
    fix: 'Give the storage nodes disks in cluster.yaml.',
  },
  {
    code: 'OSD_NEARFULL',
    means: 'a disk is nearly full; at 95 % all writes stop',
    fix: 'Delete what is not needed, or add disks.',
  },
  {
    code: 'OSD_FULL',
    means: 'a disk is full, and writes stop',
    fix: 'Add disks; or `cluster check --fix`, after which what is removed frees room.',
  },
  {
    code: 'PG_DEGRADED',
    means: 'some objects have fewer copies than wanted; Ceph makes them anew where it can',
    fix: 'Wait, and bring back the nodes that are down.',
  },
  {
    code: 'PG_AVAILABILITY',
    means: 'some data cannot be read or written now',
    fix: 'Bring back the nodes that are down.',
  },
  {
    code: 'MDS_ALL_DOWN',
    means: 'nobody serves the file system, and its files wait',
    fix: 'Bring up one of the nodes with a metadata server, or run `cluster up`.',
  },
  {
    code: 'MDS_INSUFFICIENT_STANDBY',
    means: 'when the metadata server that serves goes, files wait until it is back',
    fix: 'Bring up the other node with a metadata server, or run `cluster up`.',
  },
  {
    code: 'FS_DEGRADED',
    means: 'a metadata server is taking over, and files wait until it is done',
    fix: 'Wait a minute; then look at the metadata servers: `ceph fs status` on a control node.',
  },
  {
    code: 'POOL_NO_REDUNDANCY',
    means: 'a pool keeps a single copy: a disk that dies takes data with it',
    fix: 'Add storage nodes until there are three.',
  },
  {
    code: 'RECENT_CRASH',
    means: 'a daemon crashed in the last two weeks',
    fix: 'Look at `ceph crash ls`; `ceph crash archive-all` puts it away.',
  },
  {
    code: 'SLOW_OPS',
    means: 'requests wait for more than 30 s',
    fix: 'Look at disks and network of the OSDs that are named: ceph health detail.',
  },
]
