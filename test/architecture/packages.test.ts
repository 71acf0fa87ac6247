import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/assets.ts'
import { isNode, isOurs, type Source, sources } from './sources.ts'

const manifest = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))
const dependencies = Object.keys(manifest.dependencies)
const devDependencies = Object.keys(manifest.devDependencies)

/** Used by a program and not by an import. */
const TOOLS: Record<string, string> = {
  '@biomejs/biome': 'npm run lint',
  typescript: 'npm run typecheck',
}

const shipped = sources('src', 'bin')
const beside = sources('test', 'scripts')

test('every package that src imports is a dependency', () => {
  const missing = importedBy(shipped).filter(name => !dependencies.includes(name))
  expect(missing, 'a package that the bundle needs stands in dependencies of package.json').toEqual([])
})

test('every package that tests and scripts import is in package.json', () => {
  const missing = importedBy(beside).filter(name => ![...dependencies, ...devDependencies].includes(name))
  expect(missing).toEqual([])
})

test('every dependency is imported by src', () => {
  const imported = importedBy(shipped)
  const unused = dependencies.filter(name => !imported.includes(name))
  expect(unused, 'nobody imports it: take it out of package.json').toEqual([])
})

test('every development dependency is imported, a tool, or the types of one that is', () => {
  const imported = [...importedBy(beside), ...importedBy(shipped)]
  const unused = devDependencies.filter(name => {
    const typesOf = name.startsWith('@types/') ? name.slice('@types/'.length) : undefined
    return !(
      imported.includes(name) ||
      TOOLS[name] ||
      typesOf === 'node' ||
      (typesOf && dependencies.includes(typesOf))
    )
  })
  expect(unused, 'nobody uses it: take it out of package.json').toEqual([])
})

function importedBy(files: Source[]): string[] {
  const names = files.flatMap(s => s.imports.map(i => i.to)).filter(to => !isNode(to) && !isOurs(to))
  return [...new Set(names.filter(to => !to.startsWith('dist/')))].sort()
}
