import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { EXIT, Failure } from '../../errors.ts'
import { Secret } from '../../secret.ts'
import { Cut } from './carrier.ts'
import type { Source, Text, Write } from './connection.ts'
import type { Raw } from './over.ts'

// Over exec and not over sftp: sftp runs as the user who logged in, so it cannot write what is root's; it has no fsync of a folder
// and no digest; and a node's sshd need not offer it. The scripts are fixed, whatever varies comes as argv.

/** What files need of a connection. */
export interface Runs {
  readonly node: string
  run(argv: string[], o: Raw): Promise<{ code: number; signal?: string }>
}

const MAX_READ_BYTES = 64 * 1024 * 1024
const ABSENT = 44
const TRIES = 5

export async function readFile(
  on: Runs,
  path: string,
  o: { root?: boolean; signal?: AbortSignal },
): Promise<Buffer | undefined> {
  const { code, stdout, stderr } = await script(on, READ, [path], { ...o, bytes: MAX_READ_BYTES })
  if (code === ABSENT) return undefined
  if (code !== 0) throw failed(`Reading ${path} on ${on.node}`, stderr)
  return stdout
}

/** A text goes in one round trip; a Source is resumed after a cut, from as many of its bytes as the node already holds. */
export async function writeFile(
  on: Runs,
  path: string,
  body: Text | Buffer | Source,
  o: Write,
): Promise<void> {
  if (isSource(body)) return upload(on, path, body, o)
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body instanceof Secret ? body.reveal() : body)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const what = `Writing ${path} on ${on.node}`
  if (o.sha256 && o.sha256 !== sha256) throw failed(what, `its sha256 is ${sha256} and not ${o.sha256}`)
  const temp = tempBeside(path, randomBytes(8).toString('hex'))
  const { code, stderr } = await script(on, `${PUT}${FINISH}`, finishing(path, temp, { ...o, sha256 }), {
    ...o,
    stdin: bytes,
    bytes: bytes.length,
  })
  if (code !== 0) throw failed(what, stderr)
}

/** A local file as something to upload. */
export async function fileSource(path: string): Promise<Source> {
  const { size } = await stat(path)
  const sha256 = await digest(createReadStream(path))
  return { bytes: size, sha256, from: offset => createReadStream(path, { start: offset }) }
}

async function upload(on: Runs, path: string, source: Source, o: Write): Promise<void> {
  const what = `Writing ${path} on ${on.node}`
  if (o.sha256 && o.sha256 !== source.sha256)
    throw failed(what, `its sha256 is ${source.sha256} and not ${o.sha256}`)
  const temp = tempBeside(path, source.sha256.slice(0, 16))
  let reached = -1
  for (let tries = 0; ; tries++) {
    try {
      const offset = await held(on, temp, source, o)
      if (offset > reached) tries = 0
      reached = Math.max(reached, offset)
      const sent = await script(on, APPEND, [temp, String(offset)], {
        ...o,
        stdin: source.from(offset),
        bytes: source.bytes - offset,
      })
      if (sent.code !== 0) throw failed(what, sent.stderr)
      const done = await script(on, FINISH, finishing(path, temp, { ...o, sha256: source.sha256 }), {
        ...o,
        bytes: source.bytes,
      })
      if (done.code !== 0) throw failed(what, done.stderr)
      return
    } catch (thrown) {
      if (!(thrown instanceof Cut) || tries >= TRIES) throw thrown
    }
  }
}

/** How many bytes of the source the node already holds, by digest; 0 when what is there is something else. */
async function held(on: Runs, temp: string, source: Source, o: Write): Promise<number> {
  const { code, stdout, stderr } = await script(on, HELD, [temp], { ...o, bytes: source.bytes })
  if (code !== 0) throw failed(`Looking for ${temp} on ${on.node}`, stderr)
  const [bytes, sha256] = String(stdout).trim().split(' ')
  const count = Number(bytes)
  if (!(count > 0) || count > source.bytes) return 0
  return (await digest(source.from(0), count)) === sha256 ? count : 0
}

/** Of the first `bytes` of a stream. */
async function digest(stream: Readable, bytes = Number.POSITIVE_INFINITY): Promise<string> {
  const hash = createHash('sha256')
  let left = bytes
  for await (const chunk of stream) {
    hash.update(chunk.subarray(0, left))
    left -= chunk.length
    if (left <= 0) break
  }
  return hash.digest('hex')
}

async function script(
  on: Runs,
  text: string,
  args: string[],
  o: { root?: boolean; signal?: AbortSignal; stdin?: Buffer | Readable; bytes: number },
): Promise<{ code: number; stdout: Buffer; stderr: string }> {
  const out: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  let taken = 0
  const { code } = await on.run(['sh', '-c', text, 'sh', ...args], {
    root: o.root ?? true,
    signal: o.signal,
    stdin: o.stdin,
    // A line of 100 KB/s is slow, but works.
    deadlineMs: 60_000 + o.bytes / 100,
    onData(chunk, from) {
      taken += chunk.length
      if (taken <= MAX_READ_BYTES + 4096) out[from].push(chunk)
    },
  })
  return { code, stdout: Buffer.concat(out.stdout), stderr: String(Buffer.concat(out.stderr)).trim() }
}

const isSource = (body: Text | Buffer | Source): body is Source =>
  typeof body === 'object' && !Buffer.isBuffer(body) && !(body instanceof Secret)

const tempBeside = (path: string, key: string) =>
  `${posix.dirname(path)}/.${posix.basename(path).slice(0, 200)}.llmagentos-${key}`

const finishing = (path: string, temp: string, o: Write & { sha256: string }) => [
  path,
  temp,
  posix.dirname(path),
  o.sha256,
  o.mode.toString(8),
  o.owner ?? '',
]

const failed = (what: string, why: string) =>
  new Failure(`${what} failed.`, { exit: EXIT.partial, why: why || undefined })

const READ = `[ -e "$1" ] || [ -L "$1" ] || exit ${ABSENT}
bytes=$(stat -Lc %s -- "$1") || exit 1
[ "$bytes" -le ${MAX_READ_BYTES} ] || { echo "it has $bytes bytes, more than ${MAX_READ_BYTES}" >&2; exit 1; }
exec cat -- "$1"`

// noclobber: the temporary name must be a new file, whatever link somebody put there.
const PUT = `umask 077
rm -f -- "$2" && set -C && cat >"$2" || { rm -f -- "$2"; exit 1; }
`

// chown takes setuid away, so the mode comes after it. A connection that was cut has sent fewer bytes: the digest tells.
const FINISH = `end() { rm -f -- "$1"; exit 1; }
sum=$(sha256sum <"$2") || end "$2"
[ "\${sum%% *}" = "$4" ] || { echo "its sha256 there is \${sum%% *} and not $4" >&2; end "$2"; }
[ -z "$6" ] || chown -- "$6" "$2" || end "$2"
chmod -- "$5" "$2" && sync -- "$2" && mv -fT -- "$2" "$1" || end "$2"
sync -- "$3"`

// What a cut connection still sends goes to the old inode: the copy is ours alone.
const HELD = `umask 077
if [ -f "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]; then
  rm -f -- "$1.copy" && cp --reflink=auto -- "$1" "$1.copy" && mv -fT -- "$1.copy" "$1" || exit 1
  bytes=$(stat -c %s -- "$1") && sum=$(sha256sum <"$1") && echo "$bytes \${sum%% *}"
else rm -f -- "$1" && echo 0; fi`

const APPEND = `umask 077
if [ "$2" = 0 ]; then rm -f -- "$1" && set -C && cat >"$1"; else cat >>"$1"; fi || { rm -f -- "$1"; exit 1; }`
