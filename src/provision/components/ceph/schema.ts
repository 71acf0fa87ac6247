import Type, { type Static } from 'typebox'
import { block, byDefault, text, whole, yesNo } from '../../cluster/schema/fields.ts'
import type { Parsed } from '../../cluster/schema/parsed.ts'
import { blocks } from './block/schema.ts'
import { file } from './file/schema.ts'
import { object } from './object/schema.ts'
import { osd } from './osds/schema.ts'
import { release, source } from './source/schema.ts'

const config = Type.Record(
  Type.String({ pattern: '^([a-z]+(\\.[A-Za-z0-9._-]+)?/)?[a-z][a-z0-9_]*$' }),
  Type.Union([
    whole('a number', { from: -1_000_000_000_000, to: 1_000_000_000_000 }),
    yesNo('on or off'),
    text('a value as Ceph writes it'),
  ]),
  {
    description:
      'options of Ceph, as `ceph config set` takes them: OPTION for all daemons, or SECTION/OPTION such as osd/osd_max_backfills',
    additionalProperties: false,
    patternErrorMessage: 'is no option of Ceph: write OPTION, or SECTION/OPTION',
  },
)

export const schema = block(
  'Ceph: storage that survives a node; monitors on the control nodes, disks on the storage nodes',
  {
    source,
    release,
    allowEndOfLife: byDefault(
      false,
      yesNo('also a release that gets no more fixes, such as those of Debian 12 and 13'),
    ),
    allowUnsafe: byDefault(
      false,
      yesNo('also with fewer than three storage nodes: then a node that goes takes data with it'),
    ),
    osd: byDefault({}, osd),
    object: byDefault({}, object),
    file,
    block: blocks,
    config: byDefault({}, config),
  },
)

export type Config = Parsed<Static<typeof schema>>
