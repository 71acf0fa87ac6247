import { version } from '../assets.ts'
import type { GatewayConfig, ProcessConfig } from '../contracts/config.ts'
import { EXIT, Failure, reasonOf } from '../errors.ts'
import { boundLog, logFileOf } from './local/log-file.ts'
import { pathsOf } from './local/paths.ts'
import { forgetRunning, recordRunning } from './local/process.ts'
import type { Told } from './local/start.ts'
import { readProcessConfig } from './process-config.ts'
import { serve } from './serve.ts'
import { tellSystemd } from './systemd.ts'
import { lookAgain } from './tls/watched.ts'

/** Serves what a file describes until `signal` fires, and tells whoever started this process how the start went. */
export async function serveFile(o: {
  file: string
  cluster?: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
}): Promise<void> {
  const config = readProcessConfig(o.file, o.env)
  // As services know it: read again what may have changed. Without a listener it would end the process.
  process.on('SIGHUP', lookAgain)
  const paths = o.cluster ? pathsOf(o.cluster, o.env) : undefined
  const unbound = paths && boundLog(logFileOf(paths))
  let held = false
  const forget = () => {
    unbound?.()
    if (paths && held) forgetRunning(paths)
  }
  try {
    await serve(config, {
      signal: o.signal,
      onHeld: () => {
        held = true
        if (paths) recordRunning(paths, { url: urlOf(config), version: version() })
      },
      onReady: () => {
        void tell({ ready: true })
        tellSystemd(o.env)
      },
    })
  } catch (thrown) {
    forget()
    // Last: whoever started this process takes it for ended from here on.
    await tell({ failed: failureOf(thrown) })
    throw thrown
  }
  forget()
}

function urlOf(config: ProcessConfig): string {
  const gateway = config.services.find(s => s.name === 'gateway')?.config as GatewayConfig | undefined
  return gateway ? `http${gateway.certificate ? 's' : ''}://${gateway.host}:${gateway.port}` : ''
}

/** Returns once it was said: the process may end right after, and a message that still waits would end with it. */
function tell(what: Told): Promise<void> {
  return new Promise(resolve => {
    if (process.connected && process.send) process.send(what, () => resolve())
    else resolve()
  })
}

function failureOf(thrown: unknown): Extract<Told, { failed: unknown }>['failed'] {
  if (thrown instanceof Failure)
    return { what: thrown.message, why: thrown.why, next: thrown.next, exit: thrown.exit }
  return { what: `The services could not start: ${reasonOf(thrown)}.`, exit: EXIT.ours }
}
