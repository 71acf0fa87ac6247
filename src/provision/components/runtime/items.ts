import { artifactsFor } from '../../artifacts/index.ts'
import type { Architecture } from '../../artifacts/pinned.ts'
import type { WantedNode } from '../../cluster/cluster.ts'
import { type Facts, UnknownFact } from '../../facts/fact.ts'
import { os } from '../../facts/os.ts'
import type { FileItem, Item } from '../../os/item.ts'
import { sha256 } from '../../os/now.ts'
import { fill } from '../../os/template.ts'
import { inputLines } from '../../os/unit.ts'
import type { View } from '../component.ts'
import { processConfig } from './config.ts'
import { homeOf } from './home.ts'
import { COMMAND, CONFIG, NODE, PACKAGES, RELEASE, UNIT, USER } from './places.ts'
import type { Config } from './schema.ts'

/** Every node gets the programs; one gets the services. Throws UnknownFact, and Failure (3) where this installation lacks a program. */
export function items(view: View<Config>, facts: Facts, node: WantedNode): Item[] {
  const programs = programItems(facts, node)
  return homeOf(view, facts) === node ? [...programs, ...serviceItems(view, facts, node)] : programs
}

function programItems(facts: Facts, { name }: WantedNode): Item[] {
  const { bundle, node } = artifactsFor(architectureOf(facts, name))
  return [
    { kind: 'release', path: NODE, artifact: node.name, says: 'what our programs run on' },
    { kind: 'release', path: RELEASE, artifact: bundle.name, says: 'our programs' },
    {
      kind: 'file',
      path: COMMAND,
      text: fill('runtime/llmagentos', { node: `${NODE}/bin/node`, program: `${RELEASE}/bin/llmagentos.js` }),
      mode: 0o755,
      owner: 'root:root',
      says: 'the command, for people on the node',
    },
  ]
}

function serviceItems(view: View<Config>, facts: Facts, { name }: WantedNode): Item[] {
  const { bundle, node, searchIndex } = artifactsFor(architectureOf(facts, name))
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  const config: FileItem = {
    ...file,
    path: CONFIG,
    text: `${JSON.stringify(processConfig(view, name), null, 2)}\n`,
    says: 'which services run here, and how',
  }
  const unit = (inputs: string) =>
    fill(`runtime/${UNIT}`, {
      command: `${NODE}/bin/node ${RELEASE}/bin/llmagentos.js serve --config ${CONFIG}`,
      user: USER,
      memory: view.config.memoryBytes,
      inputs: { lines: inputLines(inputs, { process: true }).trimEnd().split('\n') },
    })
  const read = [unit(''), config.text as string, bundle.name, node.name, searchIndex.name]
  const inputs = sha256(read.join('\n')).slice(0, 16)
  return [
    { kind: 'user', name: USER, home: '/nonexistent', says: 'whom the services run as' },
    { kind: 'release', path: PACKAGES, artifact: searchIndex.name, says: 'the search index' },
    config,
    { ...file, path: `/etc/systemd/system/${UNIT}`, text: unit(inputs), says: 'the services' },
    { kind: 'unit', name: UNIT, says: 'the services', inputs },
  ]
}

const WORDS: Record<string, Architecture> = { amd64: 'x64', arm64: 'arm64' }

function architectureOf(facts: Facts, node: string): Architecture {
  const { architecture } = facts.get(node, os)
  const known = WORDS[architecture]
  if (known) return known
  throw new UnknownFact(node, {
    fact: 'a processor that we have programs for',
    why: `${architecture} is neither amd64 nor arm64`,
  })
}
