import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { EXIT, Failure, reasonOf } from '../../../src/errors.ts'
import { waitFor } from '../../../src/retry.ts'
import { type Network, removeCable } from './bridge.ts'
import { container } from './container.ts'
import { fence, killAll } from './fence.ts'
import { guest } from './guest.ts'
import type { Machine } from './machine.ts'
import type { Place } from './place.ts'

// Goes into its groups before anything else runs, and boots the node again when the node itself asks for it (133).
const SUPERVISE = `set -eu
while [ "$1" != -- ]; do echo $$ >"$1"; shift; done
shift
while :; do
  code=0
  "$@" || code=$?
  [ $code = 133 ] || exit $code
done`

export const machineOf = (place: Place): Machine => (place.guest ? guest : container)

/** Powers a node on and returns when its sshd answers and lets people in. It outlives this process. */
export async function powerOn(place: Place, network: Network): Promise<void> {
  const machine = machineOf(place)
  if (machine.runs(place)) return
  await powerOff(place, network)
  const groups = await fence(place.lab, place.node)
  await machine.prepare(place)
  const log = openSync(place.console, 'a')
  const supervise = ['-c', SUPERVISE, 'sh', ...groups, '--', ...machine.argv(place, network)]
  const supervisor = spawn('sh', supervise, {
    stdio: ['ignore', log, log],
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  })
  supervisor.unref()
  closeSync(log)
  await machine.connect(place, network)
  await answers(place, network, () => supervisor.exitCode !== null)
}

/** Takes the power away: nothing in the node gets to run another instruction. Its disks stay as they are. */
export async function powerOff(place: Place, network: Network): Promise<void> {
  await killAll(place.lab, place.node)
  await removeCable(network.cable(place.number))
}

/** An orderly shutdown, then a boot. Returns when sshd answers again. */
export async function reboot(place: Place, network: Network): Promise<void> {
  const machine = machineOf(place)
  if (!machine.runs(place)) throw new Failure(`${place.node} is off.`, { exit: EXIT.usage })
  await machine.shutDownToReboot(place)
  await answers(place, network)
}

async function answers(place: Place, network: Network, ended = () => false): Promise<void> {
  const address = network.address(place.number)
  try {
    await waitFor(
      { says: `sshd of ${place.node} (${address})`, deadlineMs: machineOf(place).deadlineMs, everyMs: 100 },
      async () => {
        if (ended()) throw new Failure(`${place.node} went off again.`, { exit: EXIT.ours })
        return (await banner(network, address)) && (await machineOf(place).letsIn(place)) ? true : undefined
      },
    )
  } catch (thrown) {
    throw new Error(
      `${reasonOf(thrown)} The end of its console:\n${readFileSync(place.console, 'utf8').slice(-2000)}`,
      {
        cause: thrown,
      },
    )
  }
}

/** One greeting is enough: newer servers count connections that ask for nothing against the caller. */
function banner({ own }: Network, address: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: address, port: 22, localAddress: own, timeout: 2000 })
    const end = (found: boolean) => {
      socket.destroy()
      resolve(found)
    }
    socket.once('data', data => end(String(data).startsWith('SSH-')))
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => end(false))
  })
}
