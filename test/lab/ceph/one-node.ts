import type { LabNode } from '../lab.ts'

export const PLAIN = { a: 7480, b: 7481 }
export const TLS = { a: 7490, b: 7491 }
export const USER = 'data'

/** What the gateways' certificate and key are read from, on the node. */
const PEM = { certificate: '/etc/ceph/rgw.pem', key: '/etc/ceph/rgw.key' }

/**
 * A Ceph of Debian's packages on one node: a mon, a mgr, an OSD that holds the only copy, and two gateways `a` and `b`. All through the
 * ways that work without LVM; the disk need not be known to udev.
 */
export async function installCeph(
  node: LabNode,
  o: { disk: string; certificate: string; key: string; secretKey: string },
): Promise<void> {
  const put = (file: string, text: string) => node.run(`umask 077; cat >${file}`, { input: text })
  const apt = 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y'
  const packages = 'ceph-mon ceph-mgr ceph-osd radosgw ceph-common curl'
  await node.run(`${apt} --no-install-recommends ${packages}`, { deadlineMs: 400_000 })
  await put(PEM.certificate, o.certificate)
  await put(PEM.key, o.key)
  await node.run(`chown ceph ${PEM.certificate} ${PEM.key}`)
  await put('/etc/ceph/ceph.conf', conf(node))
  const facts = [`NODE=${node.name}`, `IP=${node.address}`, `DISK=${o.disk}`, `USER=${USER}`]
  // The key is no word of a command line that a process list would show.
  const secret = `read -r SECRET <<'END'\n${o.secretKey}\nEND\n`
  await node.run('sh -s', { input: `${facts.join('\n')}\n${secret}${BRING_UP}`, deadlineMs: 180_000 })
}

const conf = (node: LabNode) => `[global]
fsid = ${crypto.randomUUID()}
mon_host = [v2:${node.address}:3300,v1:${node.address}:6789]
mon_initial_members = ${node.name}
mon_allow_pool_size_one = true
mon_data_avail_warn = 1
mon_data_avail_crit = 1
mon_max_pg_per_osd = 500
auth_allow_insecure_global_id_reclaim = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_memory_target = 1073741824
${gateway('a')}${gateway('b')}`

const gateway = (name: 'a' | 'b') => `[client.rgw.${name}]
rgw_frontends = beast port=${PLAIN[name]} ssl_port=${TLS[name]} ssl_certificate=${PEM.certificate} ssl_private_key=${PEM.key} tcp_nodelay=1
rgw_verify_ssl = false
`

const BRING_UP = `set -eu
sed -i '/^127.0.1.1/d' /etc/hosts
echo "$IP $NODE" >>/etc/hosts
cd /etc/ceph
chmod 644 ceph.conf
FSID=$(ceph-conf --lookup fsid)
KEYRING=$(mktemp) MAP=$(mktemp -u)
ceph-authtool --create-keyring $KEYRING --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool --create-keyring ceph.client.admin.keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
ceph-authtool $KEYRING --import-keyring ceph.client.admin.keyring >/dev/null
monmaptool --create --fsid $FSID --addv $NODE "[v2:$IP:3300,v1:$IP:6789]" $MAP >/dev/null
chown ceph $KEYRING $MAP
install -d -o ceph -g ceph /var/lib/ceph/mon/ceph-$NODE /var/lib/ceph/mgr/ceph-$NODE
runuser -u ceph -- ceph-mon --mkfs -i $NODE --monmap $MAP --keyring $KEYRING
rm $KEYRING $MAP
systemctl enable -q --now ceph-mon@$NODE
timeout 60 ceph -s >/dev/null
ceph auth get-or-create mgr.$NODE mon 'allow profile mgr' osd 'allow *' mds 'allow *' -o /var/lib/ceph/mgr/ceph-$NODE/keyring
chown ceph /var/lib/ceph/mgr/ceph-$NODE/keyring
systemctl enable -q --now ceph-mgr@$NODE

UUID=$(cat /proc/sys/kernel/random/uuid)
KEY=$(ceph-authtool --gen-print-key)
ID=$(echo "{\\"cephx_secret\\": \\"$KEY\\"}" | ceph osd new $UUID -i -)
OSD=/var/lib/ceph/osd/ceph-$ID
install -d -o ceph -g ceph $OSD
ln -s $DISK $OSD/block
chown ceph $DISK
printf '[osd.%s]\\n\\tkey = %s\\n' $ID $KEY >$OSD/keyring
chown ceph $OSD/keyring
ceph-osd -i $ID --mkfs --osd-uuid $UUID --setuser ceph --setgroup ceph 2>/dev/null
systemctl enable -q --now ceph-osd@$ID

for name in a b; do
  folder=/var/lib/ceph/radosgw/ceph-rgw.$name
  install -d -o ceph -g ceph $folder
  ceph auth get-or-create client.rgw.$name mon 'allow rw' osd 'allow rwx' -o $folder/keyring
  chown ceph $folder/keyring
done
answers() {
  for _ in $(seq 100); do curl -sf -o /dev/null http://$IP:$1/ && return; sleep 0.5; done
  echo "the gateway at port $1 does not answer" >&2
  exit 1
}
# The first makes the pools that all share.
systemctl enable -q --now ceph-radosgw@rgw.a
answers ${PLAIN.a}
systemctl enable -q --now ceph-radosgw@rgw.b
answers ${PLAIN.b}
radosgw-admin user create --uid=$USER --display-name=$USER --access-key=$USER --secret-key="$SECRET" >/dev/null
`
