import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { factsOf } from '../../os/node.ts'
import { forget } from '../certified.ts'
import { type NodeNow, printedOf, siteOf } from './site.ts'

/** What nodes are like, and what is planned and found. */
interface Case {
  case: string
  nodes?: string[]
  settings?: string
  /** Those that take part; all of them. */
  on?: string[]
  grants?: Record<string, unknown>[]
  now?: Record<string, NodeNow>
  waves?: Record<string, string[]>[]
  finds?: string[]
  /** Exit code, then what is said. */
  refused?: [number, string]
}

const cases: Case[] = parseYaml(readFileSync(join(import.meta.dirname, 'cases.yaml'), 'utf8'))

afterAll(forget)

describe('RabbitMQ', () => {
  test.each(cases.map(c => [c.case, c] as const))('%s', (_, c) => {
    const { component, view } = siteOf(c)
    const facts = factsOf(printedOf(view, c.now ?? {}))
    const plan = () => {
      component.refuse!(view, facts)
      return component.plan(view, facts)
    }
    if (c.refused) {
      const [exit, says] = c.refused
      expect(plan).toThrow(expect.objectContaining({ exit }))
      expect(plan).toThrow(says)
      return
    }
    const waves = plan().map(({ steps }) => byNode(steps))
    if (c.waves) expect(waves).toEqual(c.waves)
    const found = component.judge(view, facts).map(({ node, level, says }) => `${node} ${level} ${says}`)
    if (c.finds) expect(found).toEqual(c.finds)
  })
})

function byNode(steps: { node: string; says: string }[]): Record<string, string[]> {
  const lanes: Record<string, string[]> = {}
  for (const { node, says } of steps) lanes[node] = [...(lanes[node] ?? []), says]
  return lanes
}
