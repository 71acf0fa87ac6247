import { armor, Decrypter, Encrypter } from 'age-encryption'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
import { Secret } from '../../secret.ts'
import { writeWhole } from '../cluster/write.ts'
import type { Recovery } from './recovery.ts'

/** Writes the secrets to a file that only the recipients can open (age, as text). It takes the place of an older one. */
export async function writeRecovery(file: string, { recipients, contents }: Recovery): Promise<void> {
  const encrypted = await encrypterFor(recipients).encrypt(contents.reveal())
  writeWhole(file, armor.encode(encrypted), { replace: true })
}

/** Throws Failure (2) for a key that nothing can be encrypted for. */
export function encrypterFor(recipients: string[]): Encrypter {
  const encrypter = new Encrypter()
  for (const recipient of recipients)
    try {
      encrypter.addRecipient(recipient)
    } catch (thrown) {
      throw new Failure(`${recipient} in recovery.recipients is no public key of age.`, {
        exit: EXIT.usage,
        why: reasonOf(thrown),
        next: 'Take the line that `age-keygen` prints behind "Public key:".',
      })
    }
  return encrypter
}

/** How a recovery file is opened: a file of `age-keygen`, which may itself be encrypted with a passphrase. */
export interface Opening {
  file: string
  bytes: Uint8Array
  identity: { file: string; bytes: Uint8Array }
  passphrase(file: string): Promise<Secret>
}

/** What a recovery file holds, decrypted. Throws Failure (2) for files that do not fit together. */
export async function openRecovery({ file, bytes, identity, passphrase }: Opening): Promise<Secret> {
  if (!isEncrypted(bytes))
    throw new Failure(`${file} is not encrypted by age, so it is no recovery file.`, { exit: EXIT.usage })
  const keys = await identitiesIn(identity, passphrase)
  const decrypter = new Decrypter()
  try {
    for (const key of keys) decrypter.addIdentity(key)
  } catch {
    // What is thrown quotes the identity.
    throw new Failure(`An identity in ${identity.file} is not well-formed.`, { exit: EXIT.usage })
  }
  return decrypted(decrypter, bytes, {
    what: `${identity.file} does not open ${file}.`,
    next: 'Take the identity whose public key was in recovery.recipients when the file was written.',
  })
}

async function identitiesIn(
  { file, bytes }: Opening['identity'],
  passphrase: Opening['passphrase'],
): Promise<string[]> {
  let text = Buffer.from(bytes).toString('utf8')
  if (isEncrypted(bytes)) {
    const decrypter = new Decrypter()
    decrypter.addPassphrase((await passphrase(file)).reveal())
    const what = `The passphrase does not open ${file}.`
    text = (await decrypted(decrypter, bytes, { what })).reveal()
  }
  const keys = text.split(/\r?\n/).filter(line => line.startsWith('AGE-SECRET-KEY-'))
  if (keys.length > 0) return keys
  throw new Failure(`There is no identity of age in ${file}.`, {
    exit: EXIT.usage,
    next: 'It holds a line that begins with AGE-SECRET-KEY-, as `age-keygen` writes it.',
  })
}

async function decrypted(
  decrypter: Decrypter,
  bytes: Uint8Array,
  { what, next }: { what: string; next?: string },
): Promise<Secret> {
  try {
    const text = Buffer.from(bytes).toString('utf8')
    const binary = text.startsWith(ARMORED) ? armor.decode(text) : bytes
    return new Secret(await decrypter.decrypt(binary, 'text'))
  } catch {
    throw new Failure(what, { exit: EXIT.usage, next })
  }
}

const ARMORED = '-----BEGIN AGE ENCRYPTED FILE-----'

function isEncrypted(bytes: Uint8Array): boolean {
  const begin = Buffer.from(bytes.subarray(0, 64)).toString('latin1')
  return begin.startsWith(ARMORED) || begin.startsWith('age-encryption.org/v1')
}
