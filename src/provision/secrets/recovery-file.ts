import { armor, Encrypter } from 'age-encryption'
import { EXIT, Failure, reasonOf } from '../../errors.ts'
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
