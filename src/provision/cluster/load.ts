import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { codeOf, EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Component } from '../components/component.ts'
import { registry } from '../components/index.ts'
import { checks } from './checks/index.ts'
import { secretsIn } from './checks/secrets.ts'
import { type Cluster, resolve } from './cluster.ts'
import { ClusterFileError, inOrder, type Path, type Problem } from './problems.ts'
import { decode } from './read/decode.ts'
import { nearest } from './read/nearest.ts'
import { parseTree, spotOf } from './read/tree.ts'
import { clusterSchema, type Settings } from './schema/index.ts'
import { shapeOf } from './schema/shape.ts'

const MOST_BYTES = 1024 * 1024

/** Reads and checks cluster.yaml; `env` is for `${NAME}` in it. Throws ClusterFileError (exit 2) with every mistake found. */
export function load(file: string, env: NodeJS.ProcessEnv): Cluster {
  return parse(readClusterFile(file), { env, file: basename(file) })
}

/** The same for a text. `components` are those that may stand in it. */
export function parse(
  text: string,
  o: { env: NodeJS.ProcessEnv; file?: string; components?: Component[] },
): Cluster {
  const components = o.components ?? registry
  const refuse = (problems: Problem[]) => {
    if (problems.length > 0) throw new ClusterFileError(o.file ?? 'cluster.yaml', inOrder(problems))
  }
  const { tree, problems } = parseTree(text, o.env)
  if (tree) problems.push(...secretsIn(tree))
  refuse(problems)
  const settings = decode(shapeOf(clusterSchema(components)), tree!, [], {
    problems,
    unknownKey: unknownComponent,
  })
  refuse(problems)
  const cluster = resolve(settings as Settings)
  const found = checks.flatMap(check => check(cluster, components))
  refuse(found.map(p => ({ ...p, at: spotOf(tree!, p.path) })))
  return cluster
}

/** Text of the file; a Failure (exit 2) says why there is none. */
export function readClusterFile(file: string): string {
  const cannot = (why: string, next?: string) =>
    new Failure(`${file} cannot be read.`, { exit: EXIT.usage, why, next })
  try {
    if (statSync(file).size > MOST_BYTES) throw cannot('It is larger than 1 MiB.')
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file))
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown
    if (codeOf(thrown) === 'ENOENT')
      throw cannot('There is no such file.', 'Write one: llmagentos init user@10.0.0.11 user@10.0.0.12')
    throw cannot(thrown instanceof TypeError ? 'It is not UTF-8 text.' : reasonOf(thrown))
  }
}

/** A component may well exist elsewhere, or later: it is refused with other words than a mistyped field. */
function unknownComponent(path: Path, known: string[]): { says: string; fix: string } | undefined {
  if (path.length !== 2 || path[0] !== 'components') return undefined
  const meant = nearest(String(path[1]), known)
  return {
    says: 'is not in this version',
    fix: meant ? `Did you mean ${meant}?` : `Take it out; this version has ${known.join(', ')}.`,
  }
}
