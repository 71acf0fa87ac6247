import { connect } from 'node:net'

const ANSWER_MS = 1_500
/** Ours and those of what we install, and some beside them. */
const PORTS = [22, 4369, 5671, 5672, 7420, 8099, 15_671, 15_672, 15_692, 25_672, ...range(7421, 7440)]

/** Which of them take a connection from this machine, which is no node of the cluster. */
export async function openPorts(host: string): Promise<number[]> {
  const found = await Promise.all(PORTS.map(async port => ((await takes(host, port)) ? [port] : [])))
  return found.flat().sort((a, b) => a - b)
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
