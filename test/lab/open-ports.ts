import { connect } from 'node:net'
import { expect } from 'vitest'
import type { LabNode } from './lab.ts'

const ANSWER_MS = 1_500
/** Of what we install; they are tried also where nobody listens, because a wall that is open is open. */
const PORTS = [22, 4369, 5671, 5672, 7420, 15_671, 15_672, 15_692, 25_672, ...range(7421, 7440)]

/** Ports of a node that take a connection from this machine, which is no node of the cluster: of all on which anybody there listens, and of ours. */
export async function openPorts(node: LabNode): Promise<number[]> {
  const listening = await node.run("ss -Htln | awk '{ print $4 }'")
  const heard = listening.split('\n').flatMap(line => /:(\d+)$/.exec(line)?.slice(1).map(Number) ?? [])
  expect(heard).toContain(22)
  const ports = [...new Set([...PORTS, ...heard])]
  const open = await Promise.all(ports.map(async port => ((await takes(node.address, port)) ? [port] : [])))
  return open.flat().sort((a, b) => a - b)
}

function takes(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout: ANSWER_MS })
    const end = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
