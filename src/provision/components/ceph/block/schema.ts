import { block, byDefault, selector, yesNo } from '../../../cluster/schema/fields.ts'
import { orYes } from '../switch.ts'

export const blocks = byDefault(
  false,
  orYes(
    yesNo('block devices (RBD): a pool, and a key for those who use it, on the control nodes'),
    block('block devices (RBD)', {
      on: byDefault('control', selector('the nodes with the key')),
    }),
  ),
)
