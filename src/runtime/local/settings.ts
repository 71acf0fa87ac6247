import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { Settings } from '../../contracts/settings.ts'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Paths } from './paths.ts'

/** What the operator set for the one-machine cluster; {} when there is no file. A mistake in it names its path and stops before anything starts. */
export function readSettings(paths: Paths): Settings {
  const file = join(paths.config, 'local.json')
  const wrong = (why: string) =>
    new Failure(`The settings in ${file} are not valid.`, {
      exit: EXIT.usage,
      why,
      next: 'docs/guide/settings.md lists them.',
    })
  let settings: unknown
  try {
    settings = JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return {}
    throw wrong(reasonOf(thrown))
  }
  const ajv = new Ajv()
  if (ajv.validate(Settings, settings)) return settings as Settings
  const { instancePath, message, params } = ajv.errors![0]!
  throw wrong(
    [instancePath.slice(1), message, params['additionalProperty'], params['allowedValues']?.join(', ')]
      .filter(Boolean)
      .join(': '),
  )
}
