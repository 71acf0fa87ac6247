import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import type { Secret } from '../../secret.ts'
import { runHere } from './local.ts'
import type { Host } from './options.ts'
import { type Offer, type PrivateKey, privateKey } from './ssh.ts'

/** Gives the passphrase of a key file; `again` when the last one was wrong; undefined when there is none to give. */
export type AskPassphrase = (o: { file: string; again: boolean }) => Promise<Secret | undefined>

export interface Identity {
  /** For people: `~/.ssh/id_ed25519`, `the agent's key NAME`. */
  where: string
  type: string
  at: { file: string; locked: boolean } | { agent: string; blob: string }
}

const PASSPHRASES = 3
const DEADLINE_MS = 10_000

/** The keys of this machine; each file is read, and each passphrase asked for, once. */
export class Keyring {
  readonly #ask: AskPassphrase | undefined
  readonly #unlocked = new Map<string, Promise<PrivateKey | undefined>>()
  readonly #agents = new Map<string, Promise<AgentKey[]>>()

  constructor(ask?: AskPassphrase) {
    this.#ask = ask
  }

  /** In the order in which they are offered: those of the agent that the options name, files, the agent's others, files with a passphrase. */
  async of(host: Host): Promise<{ identities: Identity[]; certificate?: string }> {
    const files = (await Promise.all(host.identityFiles.map(look))).filter(file => file !== undefined)
    const held = host.agent ? await this.#agentKeys(host.agent) : []
    const named = new Set(files.flatMap(file => file.blob ?? []))
    const inAgent = held.map(key => ({ key, named: named.has(key.blob) }))
    const agent = (list: typeof inAgent) =>
      list.map(({ key }) => ({
        where: `the agent's key ${key.comment}`,
        type: key.type,
        at: { agent: host.agent!, blob: key.blob },
      }))
    const onlyFiles = files.filter(file => !held.some(key => key.blob === file.blob))
    const file = (locked: boolean) =>
      onlyFiles
        .filter(found => found.locked === locked)
        .map(({ path, type }) => ({ where: path, type, at: { file: path, locked } }))
    return {
      identities: [
        ...agent(inAgent.filter(each => each.named)),
        ...file(false),
        ...(host.identitiesOnly ? [] : agent(inAgent.filter(each => !each.named))),
        ...file(true),
      ],
      certificate: files.find(found => found.certificate)?.certificate,
    }
  }

  /** What can be offered; of files with a passphrase only when asked to, because then a person is. */
  async offers(identities: Identity[], o: { locked: boolean }): Promise<Offer[]> {
    const chosen = identities.filter(({ at }) => !('file' in at) || at.locked === o.locked)
    const offers = await Promise.all(chosen.map(identity => this.#offer(identity)))
    return offers.filter(offer => offer !== undefined)
  }

  async #offer({ where, at }: Identity): Promise<Offer | undefined> {
    if ('agent' in at) return { says: where, agent: at.agent, blob: at.blob }
    const pending = this.#unlocked.get(at.file) ?? this.#unlock(at.file)
    this.#unlocked.set(at.file, pending)
    const key = await pending
    return key && { says: where, key }
  }

  async #unlock(file: string): Promise<PrivateKey | undefined> {
    const text = await readFile(file)
    for (let tries = 0; ; tries++) {
      const passphrase = tries > 0 ? await this.#ask?.({ file, again: tries > 1 }) : undefined
      if (tries > 0 && !passphrase) return undefined
      const key = privateKey(text, passphrase)
      if (key === 'unreadable') return undefined
      if (key !== 'locked') return key
      if (tries === PASSPHRASES)
        throw new Failure(`The key ${file} stays locked: none of ${PASSPHRASES} passphrases fits.`, {
          exit: EXIT.usage,
          next: `Put it into the agent: ssh-add ${file}`,
        })
    }
  }

  #agentKeys(socket: string): Promise<AgentKey[]> {
    const known = this.#agents.get(socket) ?? listAgent(socket)
    this.#agents.set(socket, known)
    return known
  }
}

interface AgentKey {
  type: string
  blob: string
  comment: string
}

interface KeyFile {
  path: string
  type: string
  blob?: string
  locked: boolean
  certificate?: string
}

async function look(path: string): Promise<KeyFile | undefined> {
  if (!existsSync(path)) return undefined
  let text: Buffer
  try {
    text = await readFile(path)
  } catch (thrown) {
    throw new Failure(`The identity file ${path} cannot be read.`, {
      exit: EXIT.usage,
      why: reasonOf(thrown),
    })
  }
  const key = privateKey(text)
  const [type, blob] = existsSync(`${path}.pub`)
    ? (await readFile(`${path}.pub`, 'utf8')).trim().split(/\s+/)
    : []
  const beside = `${path}-cert.pub`
  const parsed = typeof key === 'string' ? undefined : key
  return {
    path,
    type: parsed?.type ?? type ?? specialType(text) ?? (key === 'locked' ? 'ssh-ed25519' : 'unreadable'),
    blob: parsed?.getPublicSSH().toString('base64') ?? blob,
    locked: key === 'locked',
    certificate: existsSync(beside) ? beside : undefined,
  }
}

/** OpenSSH's format names the type of the public key in clear. */
function specialType(text: Buffer): string | undefined {
  const inner = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text.toString('latin1'))?.[1]
  if (!inner) return undefined
  return /(sk-)?(ssh|ecdsa)-[\w-]+(@openssh\.com)?/.exec(Buffer.from(inner, 'base64').toString('latin1'))?.[0]
}

async function listAgent(socket: string): Promise<AgentKey[]> {
  const { code, stdout } = await runHere(['ssh-add', '-L'], {
    deadlineMs: DEADLINE_MS,
    env: { SSH_AUTH_SOCK: socket },
  })
  if (code !== 0) return []
  return stdout
    .split('\n')
    .map(line => line.split(' '))
    .flatMap(([type, blob, ...comment]) => (type && blob ? [{ type, blob, comment: comment.join(' ') }] : []))
}
