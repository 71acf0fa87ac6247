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
