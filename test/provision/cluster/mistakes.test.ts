import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../src/assets.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import { ClusterFileError } from '../../../src/provision/cluster/problems.ts'

const folder = join(packageRoot(), 'test/provision/cluster/mistakes')
const names = readdirSync(folder)
  .filter(name => name.endsWith('.yaml'))
  .map(name => name.replace(/\.yaml$/, ''))

/** Each file under mistakes/ is a cluster.yaml; the .txt beside it is what is said about it. */
for (const name of names) {
  test(`the mistake ${name} is named with its place and what to do`, async () => {
    const error = thrownBy(readFileSync(join(folder, `${name}.yaml`), 'utf8'))
    expect(error.exit).toBe(2)
    await expect(`${error.message}\n${error.why}\n`).toMatchFileSnapshot(`mistakes/${name}.txt`)
  })
}

test('no text of a mistake that is gone is kept', () => {
  const texts = readdirSync(folder).filter(name => name.endsWith('.txt'))
  expect(texts.filter(name => !names.includes(name.replace(/\.txt$/, '')))).toEqual([])
})

function thrownBy(text: string): ClusterFileError {
  try {
    parse(text, { env: {} })
  } catch (thrown) {
    if (thrown instanceof ClusterFileError) return thrown
    throw thrown
  }
  throw new Error('it was taken without a word')
}
