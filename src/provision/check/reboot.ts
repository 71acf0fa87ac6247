import { reboot as fact } from '../facts/reboot.ts'
import { type Concern, naming, onEach } from './concern.ts'

/** A reboot that is due comes at a worse time later. */
export const reboot: Concern = {
  name: 'reboot',
  facts: () => [fact],
  judge: ({ nodes }, facts) =>
    onEach({ nodes, facts, what: 'whether it waits for a reboot' }, fact, ({ wantedBy, newerKernel }) => {
      const fix = 'Reboot it before the cluster lives on it.'
      if (newerKernel)
        return [{ level: 'warn', says: `It waits for a reboot into kernel ${newerKernel}.`, fix }]
      const named = wantedBy.filter(name => name !== 'unnamed')
      if (wantedBy.length > 0)
        return [
          {
            level: 'warn',
            says: `It waits for a reboot${named.length > 0 ? `, because of ${naming(named)}` : ''}.`,
            fix,
          },
        ]
      return [{ level: 'ok', says: 'It waits for no reboot.' }]
    }),
}
