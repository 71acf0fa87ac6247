import { packages } from '../facts/packages.ts'
import { time as fact } from '../facts/time.ts'
import { step } from '../reconcile/step.ts'
import { type Concern, onEach, told } from './concern.ts'

/** Something keeps the clock right. In a container that is the host's business. */
export const time: Concern = {
  name: 'time',
  facts: () => [fact, packages],
  judge: ({ nodes }, facts) =>
    onEach({ nodes, facts, what: 'what keeps its clock' }, fact, ({ service, synchronised, canSet }) => {
      if (!canSet) return [{ level: 'ok', says: 'Its host keeps its clock.' }]
      if (synchronised) return [{ level: 'ok', says: `${service ?? 'Its host'} keeps its clock.` }]
      if (!service)
        return [
          {
            level: 'warn',
            says: 'Nothing keeps its clock right.',
            fix: 'Start a time service there; `cluster up` brings chrony.',
          },
        ]
      return [
        {
          level: 'warn',
          says: `${service} runs, and has not found the time${synchronised === undefined ? ', as far as one can tell' : ''}.`,
          fix: 'It needs a time server (UDP 123): site/time in the file names those of your site.',
        },
      ]
    }),
  /** A service that is there already; a new one is the business of `up`. */
  repairs: ({ nodes }, facts) =>
    told(nodes, facts, fact)
      .filter(({ value }) => value.canSet && !value.service && !value.synchronised)
      .flatMap(({ node }) => {
        const installed = told([node], facts, packages)[0]?.value.all
        const service = SERVICES.find(([name]) => installed?.get(name)?.installed)
        if (!service) return []
        return [
          step({
            node: node.name,
            says: `start the time service ${service[0]}`,
            risk: 'change',
            deadlineMs: 60_000,
            act: { do: 'run', argv: ['systemctl', 'enable', '--now', service[1]] },
          }),
        ]
      }),
}

/** Packages and their units, the best first. */
const SERVICES = [
  ['chrony', 'chrony.service'],
  ['systemd-timesyncd', 'systemd-timesyncd.service'],
] as const
