import type { Static } from 'typebox'
import type { Cluster } from '../cluster/cluster.ts'
import { block, byDefault, duration } from '../cluster/schema/fields.ts'
import type { Parsed } from '../cluster/schema/parsed.ts'

const DAY_MS = 86_400_000
const LIFE_DAYS = 365

export const schema = block('secrets of the cluster, and certificates of its own CA', {
  certificates: byDefault(
    {},
    block('TLS certificates of the nodes', {
      life: byDefault(
        `${LIFE_DAYS}d`,
        duration(
          'how long one is valid; it is renewed when a third of that is left, by the machine itself where our programs are, else by `up`',
        ),
      ),
    }),
  ),
})

export type Config = Parsed<Static<typeof schema>>

export const lifeMsOf = ({ components }: Pick<Cluster, 'components'>): number =>
  (components['secrets'] as Config | undefined)?.certificates.lifeMs ?? LIFE_DAYS * DAY_MS
