import type { Fact } from '../../facts/fact.ts'
import { linesOf } from '../../facts/fields.ts'
import { CONF } from './names.ts'

/** What is on the node of Ceph, whoever made it. */
export interface Stores {
  /** Names of mons that have a store there. */
  mons: string[]
  /** Of /etc/ceph/ceph.conf. */
  fsid?: string
  /** Clusters that cephadm made. */
  cephadm: string[]
}

export const stores: Fact<Stores> = {
  id: 'stores of Ceph',
  deadlineMs: 5_000,
  script: `for one in /var/lib/ceph/mon/*/store.db; do [ ! -e "$one" ] || { one=\${one%/store.db}; echo "mon \${one##*/}"; }; done
for one in /var/lib/ceph/????????-????-????-????-????????????; do [ ! -e "$one" ] || echo "cephadm \${one##*/}"; done
[ ! -r ${CONF} ] || sed -n 's/^[[:space:]]*fsid[[:space:]]*=[[:space:]]*\\([0-9a-fA-F-]*\\).*/fsid \\1/p' ${CONF}`,
  parse(stdout) {
    const rows = linesOf(stdout).map(line => line.split(' ') as [string, string])
    const of = (kind: string) => rows.filter(([k]) => k === kind).map(([, name]) => name)
    const [fsid] = of('fsid')
    return {
      mons: of('mon').map(name => name.replace(/^[^-]*-/, '')),
      cephadm: of('cephadm'),
      ...(fsid && { fsid }),
    }
  },
}
