import type { Fact } from '../../facts/fact.ts'
import { blocksOf } from './pem.ts'

/** Where a control node leaves what it signed until it is read; the record of it is the journal. */
export const ISSUED = '/run/llmagentos/issued'

/** On control nodes: PEM by `NODE NAME`, of the last minutes. */
export const issued: Fact<Map<string, string>> = {
  id: 'issued',
  deadlineMs: 5_000,
  script: `cd ${ISSUED} 2>/dev/null || exit 0
for file in $(find . -name '*.crt' -mmin -15); do printf '\\nissued %s\\n' "\${file#./}"; cat -- "$file" || exit; done`,
  parse(stdout) {
    const all = stdout.split(/^issued /m).slice(1)
    return new Map(
      all.flatMap(text => {
        const [, node, name] = /^([^.\n]+)\.([^.\n]+)\.crt\n/.exec(text) ?? []
        const pem = blocksOf(text).get('CERTIFICATE')
        return node && name && pem ? [[`${node} ${name}`, pem] as const] : []
      }),
    )
  },
}
