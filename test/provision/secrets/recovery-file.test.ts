import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { armor, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { recoveredFrom } from '../../../src/provision/secrets/recovered.ts'
import { openRecovery, writeRecovery } from '../../../src/provision/secrets/recovery-file.ts'
import { Secret } from '../../../src/secret.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { failureOf } from '../connections/failure-of.ts'

const HELD = { format: 1, cluster: 'halle', secrets: { alpha: 'canary-a', beta: 'canary-b' } }

/** A recovery file, and the identity that opens it. */
async function made(contents: unknown = HELD) {
  const identity = await generateIdentity()
  const file = join(tempFolder(), 'halle.recovery.age')
  await writeRecovery(file, {
    recipients: [await identityToRecipient(identity)],
    contents: new Secret(JSON.stringify(contents)),
    digest: '',
  })
  const text = `# created: 2026-01-01\n# public key: age1...\n${identity}\n`
  return { file, bytes: readFileSync(file), identity, text }
}

const nobody = () => Promise.reject(new Error('nobody was to be asked'))
const of = (text: string | Uint8Array) => ({ file: 'key.txt', bytes: Buffer.from(text as string) })

test('a recovery file gives back what was written, with the file of age-keygen', async () => {
  const { file, bytes, text } = await made()
  const opened = await openRecovery({ file, bytes, identity: of(text), passphrase: nobody })
  const { cluster, secrets } = recoveredFrom(opened, file)
  expect(cluster).toBe('halle')
  expect([...secrets].map(([name, value]) => [name, value.reveal()])).toEqual([
    ['alpha', 'canary-a'],
    ['beta', 'canary-b'],
  ])
})

test('an identity that is itself encrypted is opened with a passphrase', async () => {
  const { file, bytes, text } = await made()
  const encrypter = new Encrypter()
  encrypter.setScryptWorkFactor(4)
  encrypter.setPassphrase('open sesame')
  const locked = await encrypter.encrypt(text)
  for (const identity of [of(locked), of(armor.encode(locked))]) {
    const asked: string[] = []
    const passphrase = async (which: string) => {
      asked.push(which)
      return new Secret('open sesame')
    }
    const opened = await openRecovery({ file, bytes, identity, passphrase })
    expect(asked).toEqual(['key.txt'])
    expect(recoveredFrom(opened, file).secrets.size).toBe(2)
    const wrong = openRecovery({ file, bytes, identity, passphrase: async () => new Secret('wrong') })
    expect(await failureOf(wrong)).toMatchObject({ message: 'The passphrase does not open key.txt.' })
  }
})

test('what does not fit together is said, and nothing of it is quoted', async () => {
  const { file, bytes, text, identity } = await made()
  const open = (o: Partial<Parameters<typeof openRecovery>[0]>) =>
    failureOf(openRecovery({ file, bytes, identity: of(text), passphrase: nobody, ...o }))
  const failures = [
    await open({ identity: of(await generateIdentity()) }),
    await open({ identity: of(identity.replace(/.{4}$/, 'QQQQ')) }),
    await open({ identity: of('no key') }),
    await open({ bytes: Buffer.from(JSON.stringify(HELD)) }),
    await open({ bytes: bytes.subarray(0, bytes.length / 2) }),
  ]
  for (const failure of failures) {
    expect(failure.exit).toBe(EXIT.usage)
    const said = `${failure.message} ${failure.why} ${failure.next} ${failure.stack}`
    expect(said).not.toMatch(/canary|AGE-SECRET-KEY-1/)
  }
})

test.each([
  ['canary'],
  [{ ...HELD, format: 2 }],
  [{ ...HELD, secrets: { '../a': 'canary' } }],
  [{ ...HELD, secrets: { a: '' } }],
  [{ ...HELD, secrets: { a: 7 } }],
])('what is no list of our secrets is refused: %j', contents => {
  const read = () => recoveredFrom(new Secret(JSON.stringify(contents)), 'a file')
  expect(read).toThrow('a file is no recovery file of ours.')
  expect(() => recoveredFrom(new Secret('canary{'), 'a file')).toThrow(/^a file is no/)
})
