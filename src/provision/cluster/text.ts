import { stringify } from 'yaml'

/** A value as YAML on one line. */
export const inline = (value: unknown) =>
  stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd()
