import { block, byDefault, listOf, selector, text, yesNo } from '../../../cluster/schema/fields.ts'
import { orYes } from '../switch.ts'

// What becomes a unit's name; no component begins with a dot, so none leads out of its folder.
const PATH = '^(/[A-Za-z0-9_][A-Za-z0-9._-]*){1,16}$'

const mount = block('one folder where nodes see the file system', {
  on: selector('the nodes with it'),
  path: text(
    'where it is mounted; a folder that is not there is made, and one with something in it is refused',
    {
      pattern: PATH,
      must: 'an absolute path of letters, digits, _, - and ., such as /srv/shared',
    },
  ),
})

export const file = byDefault(
  false,
  orYes(
    yesNo('a file system (CephFS) that nodes share'),
    block('a file system (CephFS), and where it is mounted', {
      mounts: byDefault([], listOf('where nodes mount it', mount)),
    }),
  ),
)
