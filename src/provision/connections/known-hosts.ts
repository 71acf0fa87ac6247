import { existsSync } from 'node:fs'
import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EXIT, Failure } from '../../errors.ts'
import { Refused } from './carrier.ts'
import { Gate } from './gate.ts'
import { runHere } from './local.ts'

/** A line of known_hosts that matches a host. */
export interface KnownKey {
  file: string
  line: number
  type: string
  /** Base64. */
  blob: string
  mark?: 'revoked' | 'authority'
}

/** A host key as a machine showed it, before anything else was said. */
export interface HostKey {
  node: string
  /** As known_hosts writes it: `host` or `[host]:port`. */
  knownAs: string
  type: string
  blob: string
  /** `SHA256:...`, by ssh-keygen. */
  fingerprint: string
}

const FOR_SSH2 = /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|rsa-sha2-(512|256))$/
const DEADLINE_MS = 10_000
const processes = new Gate(8)

/**
 * What these files say of a host, by `ssh-keygen -F`, hashed names included. As OpenSSH does, a host on another port than 22 that is
 * not known with its port is looked up without it.
 */
export async function knownKeys(o: { knownAs: string; host: string; files: string[] }): Promise<KnownKey[]> {
  const files = [...new Set(o.files)].filter(file => existsSync(file))
  const look = async (name: string) => (await Promise.all(files.map(file => find(name, file)))).flat()
  const found = await look(o.knownAs)
  if (found.some(key => key.mark !== 'revoked') || !o.knownAs.startsWith('[')) return found
  return [...found, ...(await look(o.host))]
}

/** Whether known_hosts has this very key of the host, and does not revoke it: then nobody has to see its fingerprint. */
export const isKnown = ({ blob }: Pick<HostKey, 'blob'>, known: KnownKey[]) =>
  known.some(line => !line.mark && line.blob === blob) &&
  !known.some(line => line.mark === 'revoked' && line.blob === blob)

/** Why this key must not be trusted, undefined when it may. A pinned fingerprint decides alone, but never for a revoked key. */
export async function distrust(
  key: HostKey,
  o: { known: KnownKey[]; pin?: string },
): Promise<Failure | undefined> {
  const { known, pin } = o
  const is = `It shows ${key.type} ${key.fingerprint}.`
  const revoked = known.find(line => line.mark === 'revoked' && line.blob === key.blob)
  if (revoked)
    return refusal(
      `The host key of ${key.node} is revoked (${place(revoked)}).`,
      is,
      'Give that machine a new host key.',
    )
  if (pin)
    return pin === key.fingerprint
      ? undefined
      : refusal(
          `The host key of ${key.node} is not the one in cluster.yaml. Nothing was run there.`,
          `${is} Wanted is ${pin}.`,
          `If that machine was installed anew, correct its ssh.hostKey; if not, somebody else answers at ${key.knownAs}.`,
        )
  const plain = known.filter(line => !line.mark)
  if (plain.some(line => line.blob === key.blob)) return undefined
  const same = plain.filter(line => line.type === key.type)
  if (same.length > 0)
    return refusal(
      `The host key of ${key.node} has CHANGED. Nothing was run there.`,
      `${is} Known is ${await listed(same)}.`,
      `If that machine was installed anew: ssh-keygen -f ${same[0]!.file} -R '${key.knownAs}', then enrol it; if not, somebody else answers at ${key.knownAs}.`,
    )
  if (plain.length > 0)
    return refusal(
      `${key.node} shows a host key of a type that is not known of it. Nothing was run there.`,
      `${is} Known is ${await listed(plain)}.`,
      `Compare the fingerprint with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on its console. If it fits, write hostKey: "${key.fingerprint}" under its ssh in cluster.yaml, or take the known one out: ssh-keygen -f ${plain[0]!.file} -R '${key.knownAs}'.`,
    )
  return refusal(
    `The host key of ${key.node} (${key.knownAs}) is unknown. Nothing was run there.`,
    is,
    `Compare it with ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on its console. Then enrol it by --accept-new-host-keys, or write hostKey: "${key.fingerprint}" under its ssh in cluster.yaml.`,
  )
}

/** A key that known_hosts revokes is nothing to enrol. */
export const isRevoked = (key: HostKey, known: KnownKey[]) =>
  known.some(line => line.mark === 'revoked' && line.blob === key.blob)

/** Appends keys to a known_hosts file, made if need be (0600); a key that stands there already is not added. Returns those that were. */
export async function enrol(keys: HostKey[], file: string): Promise<HostKey[]> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const before = existsSync(file) ? await readFile(file, 'utf8') : ''
  const lineOf = (key: HostKey) => `${key.knownAs} ${key.type} ${key.blob}`
  const fresh = keys.filter(key => !before.split('\n').includes(lineOf(key)))
  if (fresh.length === 0) return []
  const text = fresh.map(key => `${lineOf(key)}\n`).join('')
  // One append is whole for whoever reads, and keeps what another process appends at the same moment.
  const handle = await open(file, 'a', 0o600)
  try {
    await handle.appendFile(before === '' || before.endsWith('\n') ? text : `\n${text}`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return fresh
}

/** A key in its wire form, as known_hosts knows it. */
export function wordsOf(wire: Buffer): Pick<HostKey, 'type' | 'blob'> {
  const type = wire.toString('latin1', 4, 4 + wire.readUInt32BE(0))
  if (!/^[\w@.-]+$/.test(type)) throw new Error(`not the type of a host key: ${JSON.stringify(type)}`)
  return { type, blob: wire.toString('base64') }
}

/** And as people know it. */
export async function hostKeyOf(o: { node: string; knownAs: string; wire: Buffer }): Promise<HostKey> {
  const { type, blob } = wordsOf(o.wire)
  return { node: o.node, knownAs: o.knownAs, type, blob, fingerprint: await fingerprint(type, blob) }
}

/** Whether ssh2 can be shown a host key by this algorithm. */
export const isForSsh2 = (algorithm: string) => FOR_SSH2.test(algorithm)

/** The type of key that an algorithm is shown with. */
export const typeOf = (algorithm: string) => (algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm)

/** The options' order, but first the algorithms of which known_hosts has a key: the machine shows that key then. */
export function preferred(algorithms: string[], known: KnownKey[]): string[] {
  const types = new Set(known.filter(key => !key.mark).map(key => key.type))
  const isKnown = (algorithm: string) => types.has(typeOf(algorithm))
  return [...algorithms.filter(isKnown), ...algorithms.filter(algorithm => !isKnown(algorithm))]
}

/** Whether only a certificate of a known authority can vouch for the host. */
export const needsCertificate = (known: KnownKey[]) =>
  known.some(key => key.mark === 'authority') && !known.some(key => !key.mark)

async function find(name: string, file: string): Promise<KnownKey[]> {
  const { code, stdout, stderr } = await processes.through(() =>
    runHere(['ssh-keygen', '-F', name, '-f', file], { deadlineMs: DEADLINE_MS }),
  )
  // 1: not found there.
  if (code > 1)
    throw new Failure(`ssh-keygen cannot read ${file}.`, {
      exit: EXIT.usage,
      why: stderr.trim(),
      next: 'Correct or move it.',
    })
  return parseFound(stdout, file)
}

/** Reads the output of `ssh-keygen -F`: a comment with the place, then the line itself. */
export function parseFound(text: string, file: string): KnownKey[] {
  const keys: KnownKey[] = []
  let line = 0
  for (const row of text.split('\n')) {
    const comment = /^# Host .* found: line (\d+)/.exec(row)
    if (comment) {
      line = Number(comment[1])
      continue
    }
    const words = row.trim().split(/\s+/)
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined
    const [, type, blob] = words
    if (!type || !blob) continue
    const mark = marker === '@revoked' ? 'revoked' : marker === '@cert-authority' ? 'authority' : undefined
    if (marker && !mark) continue
    keys.push({ file, line, type, blob, ...(mark && { mark }) })
  }
  return keys
}

async function fingerprint(type: string, blob: string): Promise<string> {
  const { stdout, stderr } = await processes.through(() =>
    runHere(['ssh-keygen', '-lf', '-'], { stdin: `${type} ${blob}\n`, deadlineMs: DEADLINE_MS }),
  )
  const found = /SHA256:\S+/.exec(stdout)?.[0]
  if (!found) throw new Error(`ssh-keygen gave no fingerprint of a ${type} key: ${stderr.trim()}`)
  return found
}

async function listed(keys: KnownKey[]): Promise<string> {
  const said = await Promise.all(
    keys.map(async key => `${key.type} ${await fingerprint(key.type, key.blob)} (${place(key)})`),
  )
  return said.join(' and ')
}

const place = (key: KnownKey) => `${key.file} line ${key.line}`

const refusal = (what: string, why: string, next: string) =>
  new Refused(what, { exit: EXIT.unreachable, why, next })
