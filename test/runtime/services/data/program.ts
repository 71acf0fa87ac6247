import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'
import { packageRoot } from '../../../../src/assets.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const NATIVE = /^(lmdb|@lancedb\/lancedb|apache-arrow)$/

/** Bundles programs/<name>.ts, so that a real process of its own can run what is tested; returns the file for node. */
export async function program(name: string): Promise<string> {
  const outfile = join(tempFolder(), `${name}.mjs`)
  const require = createRequire(import.meta.url)
  await build({
    entryPoints: [join(packageRoot(), 'test/runtime/services/data/programs', `${name}.ts`)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    banner: {
      js: [
        "import { createRequire as __createRequire } from 'node:module'",
        `const require = __createRequire(${JSON.stringify(join(packageRoot(), 'package.json'))})`,
        `const __dirname = ${JSON.stringify(packageRoot())}`,
      ].join('\n'),
    },
    define: { 'import.meta.url': JSON.stringify(import.meta.url) },
    plugins: [
      {
        name: 'native',
        setup(b) {
          b.onResolve({ filter: NATIVE }, a => ({ path: require.resolve(a.path), external: true }))
        },
      },
    ],
    logLevel: 'error',
  })
  return outfile
}
