import { expect, test } from 'vitest'
import { overlappingPorts, type PortClaim } from '../../../src/provision/cluster/checks/ports.ts'

const claim = (node: string, port: number, by: string, protocol: 'tcp' | 'udp' = 'tcp'): PortClaim => ({
  node,
  port,
  protocol,
  by,
  path: ['components', by, 'port'],
})

test('two components that want one port of one node are both named', () => {
  expect(overlappingPorts([claim('a', 5672, 'broker'), claim('a', 5672, 'mesh')])).toEqual([
    {
      path: ['components', 'mesh', 'port'],
      says: 'tcp port 5672 of a is wanted by broker and by mesh',
      fix: 'Move one of them.',
    },
  ])
})

test('one port on two nodes, by two protocols, or asked for twice by one component is none', () => {
  expect(overlappingPorts([claim('a', 53, 'x'), claim('b', 53, 'y')])).toEqual([])
  expect(overlappingPorts([claim('a', 53, 'x'), claim('a', 53, 'y', 'udp')])).toEqual([])
  expect(overlappingPorts([claim('a', 53, 'x'), claim('a', 53, 'x')])).toEqual([])
})
