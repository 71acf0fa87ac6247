import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import type { SignerConfig } from '../../../contracts/certificates.ts'
import { issueProgram } from '../../../contracts/issue.ts'
import { badRequest, Refusal } from '../../refusal.ts'
import type { Member } from './caller.ts'

const DEADLINE_MS = 10_000
const AT_ONCE = 8
const OTHER_KEY = 3

// Arguments: the key that the request has to be for, subject, seconds of life, extensions.
const SIGN = `umask 077
${issueProgram({ folder: '"$TMPDIR"', key: '"$CA_KEY"' })}
cat >"$at/csr" && key=$(openssl req -in "$at/csr" -noout -pubkey) || exit 1
[ "$key" = "$1" ] || exit ${OTHER_KEY}
issue "$2" "$3" "$4" -cert "$CA_CERTIFICATE"`

/** Signs requests with the CA's key. */
export class Signatures {
  readonly #authority: SignerConfig['authority']
  #running = 0

  constructor({ authority }: SignerConfig) {
    this.#authority = authority
  }

  /** The certificate (PEM) for a request of the member. Throws a Refusal. */
  async sign(member: Member, request: string): Promise<string> {
    if (this.#running >= AT_ONCE)
      throw new Refusal(503, 'busy', 'Too many certificates are signed just now.', { retryAfterSeconds: 1 })
    this.#running++
    try {
      return await this.#run(member, request)
    } finally {
      this.#running--
    }
  }

  #run({ key, wanted, name }: Member, request: string): Promise<string> {
    const args = ['-c', SIGN, 'sh', key.trim(), wanted.subject, String(wanted.seconds), wanted.extensions]
    const env = {
      PATH: process.env['PATH'],
      TMPDIR: tmpdir(),
      LC_ALL: 'C',
      CA_KEY: this.#authority.key,
      CA_CERTIFICATE: this.#authority.cert,
    }
    return new Promise((resolve, reject) => {
      const child = execFile(
        'sh',
        args,
        { env, timeout: DEADLINE_MS, killSignal: 'SIGKILL' },
        (thrown, out, err) => {
          if (!thrown) return resolve(out)
          if (thrown.killed)
            return reject(new Refusal(503, 'slow', `Signing took longer than ${DEADLINE_MS / 1000} s.`))
          if (thrown.code === OTHER_KEY)
            return reject(
              new Refusal(
                403,
                'key',
                `The request is for another key than the one of the certificate of ${name}.`,
              ),
            )
          reject(badRequest(`The request was not signed: ${err.trim().split('\n').at(-1) ?? ''}`))
        },
      )
      // It may end before it has read all.
      child.stdin!.on('error', () => undefined)
      child.stdin!.end(request)
    })
  }
}
