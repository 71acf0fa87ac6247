import { dirname, join, relative } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/assets.ts'
import { type Import, packageOf, sources } from './sources.ts'

/** Put in by esbuild for every .tsx file; no source writes it. */
const JSX = 'react/jsx-runtime'

test('the scan of imports sees exactly what esbuild sees in every file', async () => {
  const files = sources('src')
  const theirs = await importsSeenByEsbuild(files.map(s => s.file))
  const differences = files
    .map(({ file, imports }) => ({
      file,
      scan: unique(imports.filter(i => i.kind !== 'type').map(say)),
      esbuild: unique(theirs.get(file) ?? []),
    }))
    .filter(d => d.scan.join() !== d.esbuild.join())
  expect(differences).toEqual([])
})

async function importsSeenByEsbuild(files: string[]): Promise<Map<string, string[]>> {
  const { metafile } = await build({
    absWorkingDir: packageRoot(),
    entryPoints: files,
    bundle: true,
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    outdir: 'unused',
    write: false,
    metafile: true,
    logLevel: 'silent',
    plugins: [nothingFollowed],
  })
  return new Map(
    Object.entries(metafile.inputs).map(([file, { imports }]) => [
      file,
      imports
        .filter(i => i.path !== JSX)
        .map(i => `${i.kind === 'dynamic-import' ? 'dynamic' : 'value'} ${i.path}`),
    ]),
  )
}

/** Each file by itself: what it imports is named and not read. */
const nothingFollowed: Plugin = {
  name: 'nothing-followed',
  setup(b) {
    b.onResolve({ filter: /.*/ }, o => {
      if (o.kind === 'entry-point') return undefined
      if (o.path === JSX) return { path: JSX, external: true }
      const ours = o.path.startsWith('.')
      const path = ours ? relative(packageRoot(), join(dirname(o.importer), o.path)) : o.path
      return { path: ours || path.startsWith('node:') ? path : packageOf(path), external: true }
    })
  },
}

const say = (i: Import) => `${i.kind} ${i.to}`
const unique = (list: string[]) => [...new Set(list)].sort()
