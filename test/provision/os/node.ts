import type { Fact, Facts } from '../../../src/provision/facts/fact.ts'
import { factsFrom } from '../../../src/provision/facts/gather.ts'
import type { Raw } from '../../../src/provision/facts/script.ts'
import type { Item } from '../../../src/provision/os/item.ts'
import { keptApart } from '../../../src/provision/os/manners.ts'
import { namesOf, openingName, sha256 } from '../../../src/provision/os/now.ts'
import { Secret } from '../../../src/secret.ts'

/** What nodes print when they are asked, by node and by the fact's id. */
export type Printed = Record<string, Record<string, string>>

/** A node that we have not been on. */
export const BARE = { kept: '', packages: 'installed\tinstall\tok\t5.2\tbash\n', users: 'root\nops\n' }

export const factsOf = (printed: Printed): Facts =>
  factsFrom(
    new Map(
      Object.entries(printed).map(([node, answers]) => [
        node,
        new Map(Object.entries(answers).map(([id, stdout]): [string, Raw] => [id, { ok: true, stdout }])),
      ]),
    ),
  )

/** The answer to a fact that nobody got. */
export const unknown = (node: string, fact: Fact<unknown>): Facts =>
  factsFrom(new Map([[node, new Map([[fact.id, { ok: false, why: 'no answer within 5 s' } as Raw]])]]))

/** What a node prints once it keeps these items of a component. */
export function finished(
  component: string,
  items: Item[],
): { kept: string; packages: string; users: string } {
  const all = [...keptApart(component, items), ...items]
  const lines = all.flatMap(item => [...manifest(component, item), ...state(component, item)])
  const units = all.flatMap((item, i) => (item.kind === 'unit' ? [unit(item, i + 100)] : []))
  return {
    kept: [
      ...lines,
      ...units.map(([line]) => line!),
      ...units.flatMap(([, inputs]) => inputs ?? []),
      '',
    ].join('\n'),
    packages: all
      .flatMap(item => (item.kind === 'package' ? item.names.map(name => ({ name, held: item.held })) : []))
      .map(({ name, held }) => `installed\t${held ? 'hold' : 'install'}\tok\t1.0\t${name}\n`)
      .join(''),
    users: ['root', ...all.flatMap(item => (item.kind === 'user' ? [item.name] : []))].join('\n'),
  }
}

function manifest(component: string, item: Item): string[] {
  const digest =
    item.kind === 'file' && !(item.text instanceof Secret)
      ? sha256(item.text)
      : item.kind === 'block'
        ? sha256(item.text.trimEnd())
        : ''
  return namesOf(item).map(name => `kept\t${component}\t${name}\t${digest}`)
}

function state(component: string, item: Item): string[] {
  switch (item.kind) {
    case 'file':
      return [
        `file\t${item.path}\t${(0o100000 | item.mode).toString(16)}\t1\t${item.owner}`,
        `sum\t${sha256(item.text)}  ${item.path}`,
      ]
    case 'block':
      return [`block\t${component}\t${item.path}\t${sha256(item.text.trimEnd())}`]
    case 'opening':
      return [`opening\t${openingName(item)}`]
    default:
      return []
  }
}

const unit = ({ inputs }: { inputs?: string }, pid: number): [string, string?] => [
  `unit\tMainPID=${pid}\tLoadState=loaded\tActiveState=active\tUnitFileState=enabled\tNeedDaemonReload=no`,
  inputs && `inputs\t${pid}\t${inputs}`,
]
