import { onTestFinished } from 'vitest'
import type { Connection } from '../../../src/provision/connections/connection.ts'
import { localConnection } from '../../../src/provision/connections/local.ts'
import { STATE, STEPS } from '../../../src/provision/reconcile/programs/places.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** This machine as a node whose /var/lib/llmagentos and /run/llmagentos are folders of the test's own: the programs run for real, without root. */
export function nodeHere(node: string): { connection: Connection; state: string } {
  const folder = tempFolder()
  const real = localConnection({ node })
  onTestFinished(() => real.close())
  const state = `${folder}/state`
  const moved = (word: string) => word.replaceAll(STATE, state).replaceAll(STEPS, `${folder}/steps`)
  const connection: Connection = {
    node,
    exec: (argv, o) => real.exec(argv.map(moved), { ...o, root: false }),
    read: path => real.read(moved(path), { root: false }),
    write: () => Promise.reject(new Error('nothing is written here')),
    open: port => real.open(port),
    close: () => real.close(),
  }
  return { connection, state }
}

/** A node that cannot be reached: a stand-in, whose every answer is the failure it is given. */
export function silentNode(node: string, thrown: Error): Connection {
  const fail = () => Promise.reject(thrown)
  return { node, exec: fail, read: fail, write: fail, open: fail, close: async () => {} }
}
