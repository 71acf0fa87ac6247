import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Clusters } from '../../../src/runtime/client/clusters.ts'
import { homeIn } from '../../helpers/cli.ts'
import { tempFolder } from '../../helpers/temp.ts'

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'

test('the CA of a cluster is kept for everybody to read, before the CLI has a key for it', () => {
  const clusters = new Clusters(homeIn(tempFolder()))
  clusters.saveCa('office', PEM)
  const file = clusters.caFile('office')
  expect(readFileSync(file, 'utf8')).toBe(PEM)
  expect(statSync(file).mode & 0o777).toBe(0o644)
  expect(clusters.list().clusters).toEqual([])
})

test('the same CA is not written again, another one is', () => {
  const clusters = new Clusters(homeIn(tempFolder()))
  clusters.saveCa('office', PEM)
  const file = clusters.caFile('office')
  const before = statSync(file).ino
  clusters.saveCa('office', PEM)
  expect(statSync(file).ino).toBe(before)
  clusters.saveCa('office', PEM.replace('AAAA', 'BBBB'))
  expect(readFileSync(file, 'utf8')).toContain('BBBB')
})

test('a known cluster names that file, and takes it along when it is forgotten', () => {
  const clusters = new Clusters(homeIn(tempFolder()))
  const known = clusters.put({ name: 'office', urls: ['https://10.0.0.11'], ca: PEM })
  expect(known.caFile).toBe(clusters.caFile('office'))
  expect(known.caFile).toMatch(new RegExp(`${join('llmagentos', 'office.ca.crt')}$`))
  clusters.forget('office')
  expect(() => statSync(clusters.caFile('office'))).toThrow('ENOENT')
})
