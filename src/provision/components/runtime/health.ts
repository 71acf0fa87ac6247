import type { Fact } from '../../facts/fact.ts'
import { type Step, step } from '../../reconcile/step.ts'
import { CA_FILE } from '../../secrets/authority.ts'
import type { View } from '../component.ts'
import { COMMAND, configOf, unitOf } from './places.ts'
import type { Config } from './schema.ts'

const START_MS = 120_000

// openssl, with which nodes make their keys, speaks TLS; curl may be missing. Its own exit code says nothing of the answer.
const script = (
  port: number,
  trust: string,
) => `code=$(printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' |
  timeout 6 openssl s_client -quiet -connect 127.0.0.1:${port} ${trust} 2>/dev/null | { read -r _ code _; echo "$code"; })
if [ "$code" = 200 ]; then echo yes; else echo no; fi`

/** Whether the gateway of the node answers, under a certificate of the cluster's CA unless it has one of its own. */
export const healthOf = ({ cluster: { gateway } }: View<Config>): Fact<boolean> => ({
  id: `gateway on ${gateway.port}`,
  deadlineMs: 8_000,
  script: script(
    gateway.port,
    gateway.tls ? '' : `-CAfile ${CA_FILE} -verify_hostname localhost -verify_return_error`,
  ),
  parse(stdout) {
    if (!/^(yes|no)\n?$/.test(stdout)) throw new Error(`${JSON.stringify(stdout)} is neither yes nor no`)
    return stdout.startsWith('yes')
  },
})

/** The next replica is not touched before this one serves. */
export const untilReady = (node: string, process: string): Step =>
  step({
    node,
    says: `wait until ${process} is ready`,
    risk: 'change',
    deadlineMs: START_MS,
    act: {
      do: 'wait',
      argv: [
        'env',
        `CREDENTIALS_DIRECTORY=/run/credentials/${unitOf(process)}`,
        COMMAND,
        'ready',
        '--config',
        configOf(process),
      ],
    },
  })
