import { PORTS } from '../../contracts/ports.ts'
import { EXIT, Failure } from '../../errors.ts'
import type { Call, Command } from '../command.ts'
import { clusterFile, machineFlags } from '../machines/index.ts'
import { timeSpan } from '../node/time.ts'
import { wholeNumber } from '../values.ts'
import { acceptFlag } from './accept-disks.ts'
import { fileOptions } from './machines.ts'
import { type UpFlags, upMachines } from './up-machines.ts'

interface Flags extends UpFlags {
  port?: number
  model?: string
}

export const up: Command<Flags> = {
  name: 'up',
  summary: 'start a cluster and prove that it answers',
  options: [
    {
      flag: '--port <number>',
      says: `the gateway's port on this machine; ${PORTS.gateway} when nothing was said before`,
      parse: wholeNumber({ from: 1, to: 65_535 }),
    },
    { flag: '--model <name>', says: 'answer with this model; pulled first if Ollama does not have it' },
    ...machineFlags,
    acceptFlag,
    { flag: '-y, --yes', says: 'change what is to be changed without asking' },
    {
      flag: '--lock-wait <time>',
      says: 'how long to wait for somebody who is changing the cluster: 90s, 10m',
      parse: timeSpan,
    },
    ...fileOptions,
  ],
  example: 'llmagentos cluster up',
  more: [
    'Without a cluster.yaml the whole system runs on this machine: a second `cluster up` changes nothing.',
    'With one it makes the machines in it what the file says, after having shown what it would do; --port and --model are for one machine.',
  ].join('\n'),
  async run(call) {
    const file = clusterFile(call.flags, call.io)
    if (file === undefined) return upHere(call)
    const misplaced = [
      call.flags.port !== undefined && '--port',
      call.flags.model !== undefined && '--model',
    ].find(Boolean)
    if (!misplaced) return upMachines(call)
    throw new Failure(`${misplaced} is for the cluster on this machine, and ${file} is about others.`, {
      exit: EXIT.usage,
      next: 'Leave it out; or run it in a folder without a cluster.yaml.',
    })
  },
}

async function upHere({ flags, json, io }: Call<Flags>): Promise<void> {
  const { openClient, proveAnswer, proveHealthy, upLocal } = await import('../../runtime/index.ts')
  const began = performance.now()
  const onStep = (says: string) =>
    json ? io.print(JSON.stringify({ event: 'step', says })) : io.say(`${says} ...`)
  const done = await upLocal(
    { port: flags.port, model: flags.model },
    { env: io.env, signal: io.signal, onStep },
  )
  if (flags.model) {
    const { pullTo } = await import('../model/pull.ts')
    await pullTo(flags.model, { io, json, onlyIfMissing: true })
  }
  if (done.changed) onStep('Asking one question through the gateway')
  const client = await openClient(io)
  const proof = await (done.changed ? proveAnswer(client) : proveHealthy(client)).finally(() =>
    client.close(),
  )
  const seconds = Math.round((performance.now() - began) / 100) / 10

  if (json) {
    io.print(
      JSON.stringify({
        event: 'done',
        changed: done.changed,
        url: done.url,
        keyFile: done.keyFile,
        engine: proof.engine,
        seconds,
      }),
    )
    return
  }
  if (!done.changed) {
    io.print(`The cluster runs already, at ${done.url}. Nothing was changed.`)
    return
  }
  io.print(`The cluster is up: it answered a question in ${seconds} s, with the ${proof.engine} engine.`)
  io.print(`  gateway  ${done.url}`)
  io.print(`  API key  ${done.keyFile}`)
  io.print(`  next     llmagentos ask "how do I add a node?"`)
}
