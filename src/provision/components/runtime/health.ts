import type { Fact } from '../../facts/fact.ts'
import { type Step, step } from '../../reconcile/step.ts'

const START_MS = 120_000

// bash, which every Debian has, opens TCP by itself; curl may be missing. Argument: the port.
const ASK = `exec 3<>"/dev/tcp/127.0.0.1/$0" || exit
printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3
read -r -t 5 _ code _ <&3
echo "the gateway says $code" >&2
[ "$code" = 200 ]`

/** Whether the gateway on the node's loopback answers. */
export const healthOf = (port: number): Fact<boolean> => ({
  id: `gateway on ${port}`,
  deadlineMs: 8_000,
  script: `if timeout 6 bash -c '${ASK.replaceAll("'", "'\\''")}' ${port} 2>/dev/null; then echo yes; else echo no; fi`,
  parse(stdout) {
    if (!/^(yes|no)\n?$/.test(stdout)) throw new Error(`${JSON.stringify(stdout)} is neither yes nor no`)
    return stdout.startsWith('yes')
  },
})

/** The next node is not touched before this one serves. */
export const untilServing = (node: string, port: number): Step =>
  step({
    node,
    says: 'wait until the gateway answers',
    risk: 'change',
    deadlineMs: START_MS,
    act: { do: 'wait', argv: ['timeout', '6', 'bash', '-c', ASK, String(port)] },
  })
