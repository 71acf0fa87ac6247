import { describe, expect, test } from 'vitest'
import { EXIT, Failure } from '../../../src/errors.ts'
import { present } from '../../../src/provision/actions/present.ts'
import type { WantedNode } from '../../../src/provision/cluster/cluster.ts'
import { parse } from '../../../src/provision/cluster/load.ts'
import { Refused } from '../../../src/provision/connections/carrier.ts'

const { nodes } = parse(
  `name: p
ssh: {user: ops}
nodes:
  - {name: ctl, address: 10.0.0.1, roles: [control]}
  - {name: osd, address: 10.0.0.2, roles: [storage]}
  - {name: gpu, address: 10.0.0.3, roles: [worker, compute]}
`,
  { env: {} },
)
const down = new Failure('It does not answer.', { exit: EXIT.unreachable, why: 'connect ETIMEDOUT' })
const names = (some: WantedNode[]) => some.map(node => node.name)

describe('who takes part in a run', () => {
  test('is everybody, when everybody answers', () => {
    expect(present(nodes, new Map())).toEqual({ nodes, skipped: [] })
  })

  test('is not a worker that is down: it is left out, and named with the reason', () => {
    const found = present(nodes, new Map([['gpu', down]]))
    expect(names(found.nodes)).toEqual(['ctl', 'osd'])
    expect(found.skipped).toEqual([{ node: 'gpu', why: 'It does not answer. connect ETIMEDOUT' }])
  })

  test.each(['ctl', 'osd'])('must be who has data or a vote: without %s nothing is done', name => {
    expect(() => present(nodes, new Map([[name, down]]))).toThrow(
      `${name} does not answer, and nothing was changed.`,
    )
  })

  test.each([
    ['whose host key changed', new Refused('The host key changed.', { exit: EXIT.unreachable })],
    ['where sudo is not allowed', new Failure('No sudo.', { exit: EXIT.preflight })],
    ['where something of ours broke', new TypeError('x is undefined')],
  ])('is nobody, when there is a worker %s', (_, thrown) => {
    expect(() => present(nodes, new Map([['gpu', thrown]]))).toThrow(thrown)
  })
})
