import type { LabNode } from '../lab.ts'

const TLS = '/etc/llmagentos/tls'

/** Seconds that are left of each certificate of a node; fewer than none where it has ended. */
export async function leftOf(node: LabNode): Promise<Record<string, number>> {
  const said = await node.run(
    `cd ${TLS} && for f in *.crt; do echo "$f $(date -d "$(openssl x509 -in "$f" -noout -enddate | cut -d= -f2)" +%s) $(date +%s)"; done`,
  )
  return byName(said, ([end, now]) => Number(end) - Number(now))
}

export const serialsOf = async (node: LabNode): Promise<Record<string, string>> =>
  byName(
    await node.run(`cd ${TLS} && for f in *.crt; do echo "$f $(openssl x509 -in "$f" -noout -serial)"; done`),
    ([serial]) => serial!,
  )

/** The settings of `node tend` as if each certificate lived for so long that less than a third of it were left. */
export const aged = (from: string, to: string) =>
  `/opt/llmagentos/node/bin/node -e "const fs=require('node:fs'),c=JSON.parse(fs.readFileSync('${from}'));for(const one of c.certificates)one.lifeMs*=4;fs.writeFileSync('${to}',JSON.stringify(c))"`

/** What the machine itself did about each of its certificates, as if all were near their end. */
export async function renewals(node: LabNode): Promise<{ name: string; did: string }[]> {
  const said = await node.run(
    `${aged('/etc/llmagentos/tend.json', '/run/tend.json')} && llmagentos node tend --json --config /run/tend.json`,
  )
  return JSON.parse(said).certificates
}

const byName = <T>(said: string, what: (words: string[]) => T): Record<string, T> =>
  Object.fromEntries(
    said
      .trim()
      .split('\n')
      .map(line => {
        const [name, ...words] = line.split(' ')
        return [name!.replace('.crt', ''), what(words)]
      }),
  )
