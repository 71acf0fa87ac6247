import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Lab, LabNode } from '../lab.ts'

/** An archive of Ceph's packages that lives as long as the process: the suite's own, under another version. */
export interface Repository {
  url: string
  /** The public key of whoever signed it. */
  key: string
  /** Signed by another key from now on, and by the right one again. */
  forge(): void
  restore(): void
  /** Paths that were asked for. */
  asked: string[]
  close(): void
}

/** Below the suite's own, which would be chosen where nothing was said. */
export const REVISION = '-0mirror1'

// Of the packages that lie at hand. Those of one source depend on each other's exact version.
const REPACK = `set -eu
rm -rf /root/repository; mkdir -p /root/repository/pool; cd /root/repository
for deb in /var/cache/apt/archives/*.deb; do
  source=$(dpkg-deb -f "$deb" Source | cut -d' ' -f1); name=$(dpkg-deb -f "$deb" Package)
  [ "$source" = ceph ] || [ "$name" = ceph ] || continue
  was=$(dpkg-deb -f "$deb" Version)
  now="\${was%-*}${REVISION}"
  rm -rf work; dpkg-deb -R "$deb" work
  sed -i -e "s/^Version: .*/Version: $now/" -e "s/= $was)/= $now)/g" -e 's/^Source: ceph.*/Source: ceph/' work/DEBIAN/control
  dpkg-deb -b --root-owner-group -Zgzip -z1 work "pool/$name.deb" >/dev/null
done
# Nothing but Ceph may come from there, however new it is.
mkdir -p other/DEBIAN
printf 'Package: curl\\nVersion: 99:99\\nArchitecture: all\\nMaintainer: nobody <nobody@example.org>\\nDescription: not the one\\n' >other/DEBIAN/control
dpkg-deb -b --root-owner-group other pool/curl.deb >/dev/null
rm -rf work other
for deb in pool/*.deb; do
  dpkg-deb -f "$deb"
  printf 'Filename: %s\\nSize: %s\\nSHA256: %s\\n\\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done >Packages`

/** Made on the node, served by this machine on the lab's network. */
export async function openRepository(lab: Lab, node: LabNode): Promise<Repository> {
  const folder = join(lab.folder, 'repository')
  await node.run(REPACK, { deadlineMs: 10 * 60_000 })
  execFileSync('scp', ['-q', '-r', '-F', lab.sshConfig, `root@${node.name}:/root/repository`, lab.folder])
  await node.run('rm -rf /root/repository')
  const index = join(folder, 'dists', node.suite, 'main', 'binary-amd64')
  mkdirSync(index, { recursive: true })
  const packages = readFileSync(join(folder, 'Packages'))
  writeFileSync(join(index, 'Packages'), packages)
  const release = [
    'Origin: Story',
    'Label: Story',
    `Suite: ${node.suite}`,
    `Codename: ${node.suite}`,
    `Date: ${new Date().toUTCString()}`,
    'Architectures: amd64',
    'Components: main',
    'SHA256:',
    ` ${createHash('sha256').update(packages).digest('hex')} ${packages.length} main/binary-amd64/Packages`,
    '',
  ].join('\n')
  const keys = ['ours', 'theirs'].map(who => keyOf(join(lab.folder, `gpg-${who}`)))
  const sign = ({ sign }: (typeof keys)[number]) =>
    writeFileSync(join(folder, 'dists', node.suite, 'InRelease'), sign(release))
  sign(keys[0]!)
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    try {
      response.end(readFileSync(join(folder, decodeURIComponent(new URL(request.url!, 'http://x').pathname))))
    } catch {
      response.writeHead(404).end()
    }
  })
  const port = await listening(server, gatewayOf(node))
  return {
    url: `http://${gatewayOf(node)}:${port}`,
    key: keys[0]!.text,
    forge: () => sign(keys[1]!),
    restore: () => sign(keys[0]!),
    asked,
    close: () => server.close(),
  }
}

function keyOf(home: string): { text: string; sign(text: string): string } {
  mkdirSync(home, { mode: 0o700 })
  const gpg = (args: string[], input = '') =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--passphrase', '', ...args], {
      input,
      stdio: ['pipe', 'pipe', 'ignore'],
    }).toString()
  gpg(['--quick-gen-key', 'story@example.org', 'ed25519', 'sign', 'never'])
  return { text: gpg(['--armor', '--export']), sign: text => gpg(['--clearsign'], text) }
}

const gatewayOf = ({ address }: LabNode) => address.replace(/\d+$/, '1')

const listening = (server: Server, host: string) =>
  new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => resolve((server.address() as { port: number }).port))
  })
