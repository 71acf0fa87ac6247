import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { keepAccess } from '../../src/commands/cluster/access.ts'
import { Clusters } from '../../src/runtime/index.ts'
import { Secret } from '../../src/secret.ts'
import { homeIn } from '../helpers/cli.ts'
import { tempFolder } from '../helpers/temp.ts'

const CA = '-----BEGIN CERTIFICATE-----\nstory\n-----END CERTIFICATE-----\n'

test('gateways are trusted by the CA of the cluster until they get a certificate of their own, and again after it', async () => {
  const io = { env: homeIn(tempFolder()) }
  const clusters = new Clusters(io.env)
  const keep = (byOwnCa: boolean) =>
    keepAccess(
      'halle',
      {
        access: { urls: ['https://10.0.0.1:7420'], byOwnCa, newKey: async () => new Secret('lao_story') },
        ca: CA,
      },
      io,
    )
  await keep(true)
  expect(readFileSync(clusters.get('halle')!.caFile!, 'utf8')).toBe(CA)
  await keep(false)
  expect(clusters.get('halle')!.caFile).toBeUndefined()
  await keep(true)
  expect(clusters.get('halle')!.caFile).toBe(clusters.caFile('halle'))
})
