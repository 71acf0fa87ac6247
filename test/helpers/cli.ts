import { Readable, Writable } from 'node:stream'
import { type Host, main } from '../../src/main.ts'
import { tempFolder } from './temp.ts'

export interface CliRun {
  code: number
  stdout: string
  stderr: string
}

/** Runs one command line in this process, through main() and with nothing of this user's: home, XDG folders and cwd are `folder`. */
export async function runCli(
  args: string[],
  o: { env?: Record<string, string>; stdin?: string | Buffer; tty?: boolean; folder?: string } = {},
): Promise<CliRun> {
  const folder = o.folder ?? tempFolder()
  const stdout = new Collected(o.tty)
  const stderr = new Collected(o.tty)
  const code = await new Promise<number>((exit, reject) => {
    const host: Host = {
      argv: [process.execPath, 'llmagentos', ...args],
      env: { PATH: process.env['PATH'], ...homeIn(folder), ...o.env },
      stdin: Object.assign(Readable.from(o.stdin === undefined ? [] : [o.stdin]), {
        isTTY: o.tty && o.stdin === undefined,
      }),
      stdout,
      stderr,
      cwd: () => folder,
      exit,
      // Signals reach real processes only; nothing of the test runner's is listened to.
      on: () => host,
    }
    main(host).catch(reject)
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

/** The environment that puts everything the CLI keeps for a user into `folder`. */
export function homeIn(folder: string): Record<string, string> {
  return {
    HOME: folder,
    XDG_CONFIG_HOME: `${folder}/config`,
    XDG_DATA_HOME: `${folder}/data`,
    XDG_STATE_HOME: `${folder}/state`,
    XDG_CACHE_HOME: `${folder}/cache`,
    XDG_RUNTIME_DIR: `${folder}/run`,
  }
}

class Collected extends Writable {
  readonly isTTY: boolean
  readonly columns = 100
  readonly #chunks: Buffer[] = []

  constructor(tty = false) {
    super({ decodeStrings: true })
    this.isTTY = tty
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk)
    done()
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
