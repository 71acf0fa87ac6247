import { randomBytes } from 'node:crypto'
import { EXIT, Failure } from '../../errors.ts'
import type { Secret } from '../../secret.ts'
import type { Running } from './carrier.ts'

/** Gives the password of `user` on `node`, undefined when there is none to give. */
export type AskPassword = (o: { node: string; user: string }) => Promise<Secret | undefined>

const PATIENCE_MS = 30_000

/** One command through sudo: the words by which its conversation is recognised. */
export class Sudo {
  readonly prompt = `[sudo ${randomBytes(12).toString('hex')}] `
  readonly started = `[started ${randomBytes(12).toString('hex')}]`

  /**
   * Returns when sudo has let the command begin, with what the command has written to standard error since. The password goes to
   * sudo alone, after it printed our random prompt; a command's own input must wait for this to return.
   */
  async letIn(
    running: Running,
    o: { node: string; user: string; ask: () => Promise<Secret | undefined> },
  ): Promise<Buffer> {
    let said = ''
    let asked = 0
    const refuse = (next: string, what?: string) =>
      new Failure(what ?? `sudo on ${o.node} does not let ${o.user} become root.`, {
        exit: EXIT.preflight,
        why: last(said.replaceAll(this.prompt, '')),
        next,
      })
    let bell: NodeJS.Timeout | undefined
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        const wait = () => {
          clearTimeout(bell)
          bell = setTimeout(
            () =>
              reject(
                refuse(
                  'Log in there and try `sudo true`.',
                  `sudo on ${o.node} did not answer in ${PATIENCE_MS / 1000} s.`,
                ),
              ),
            PATIENCE_MS,
          )
        }
        const answer = async () => {
          clearTimeout(bell)
          const password = await o.ask()
          if (!password)
            throw refuse(
              'Give it when asked, or allow it without: `NOPASSWD: ALL` in /etc/sudoers.d.',
              `sudo on ${o.node} wants a password of ${o.user}, and none was given.`,
            )
          wait()
          running.stdin.write(`${password.reveal()}\n`)
        }
        running.stderr.on('data', (chunk: Buffer) => {
          said += chunk.toString('latin1')
          talk()
        })
        const talk = () => {
          const begun = said.indexOf(this.started)
          if (begun >= 0) {
            // Until the next listener comes.
            running.stderr.removeAllListeners('data').pause()
            return resolve(Buffer.from(said.slice(begun + this.started.length), 'latin1'))
          }
          const prompts = said.split(this.prompt).length - 1
          if (prompts > 1)
            return reject(
              refuse(
                'Run it again with the right one.',
                `sudo on ${o.node} does not take the password of ${o.user}.`,
              ),
            )
          if (prompts > asked) {
            asked = prompts
            answer().catch(reject)
          }
        }
        running.ended.then(exit => {
          if ('cut' in exit) return resolve(Buffer.alloc(0))
          if (/sudo: (not found|command not found)|sudo.*No such file/.test(said))
            return reject(
              refuse('Install it there (apt install sudo), or log in as root.', `${o.node} has no sudo.`),
            )
          reject(refuse(`Let ${o.user} use sudo there, or log in as root.`))
        })
        wait()
      })
    } catch (thrown) {
      running.drop()
      throw thrown
    } finally {
      clearTimeout(bell)
    }
  }
}

function last(said: string): string | undefined {
  return Buffer.from(said, 'latin1').toString().trim().split('\n').at(-1)?.trim() || undefined
}
