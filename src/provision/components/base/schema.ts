import { block } from '../../cluster/schema/fields.ts'

export const schema = block(
  'what every node has; it takes its settings from `network`, `site` and `firewall` and has none of its own',
  {},
)
