import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { armor, Decrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../helpers/temp.ts'
import { lacks, storiesOfTheLab } from './here.ts'
import { SecretsBench } from './secrets/bench.ts'

storiesOfTheLab()

const MINUTES = 60_000
const FOLDER = '/var/lib/llmagentos/secrets'

describe('secrets on three control nodes', () => {
  let bench: SecretsBench

  beforeAll(async () => {
    if (!lacks) bench = await SecretsBench.open({ name: 'secrets', nodes: 3 })
  }, 10 * MINUTES)
  afterAll(() => bench?.close(), 2 * MINUTES)
  beforeEach(async () => {
    if (!lacks) await bench.clean()
  })

  /** One value on all nodes, and what it is. */
  const oneValue = async (name: string) => {
    const [first, ...others] = await bench.values(name)
    expect(first).not.toBe('')
    for (const other of others) expect(other).toBe(first)
    return first!
  }

  test('are made once, copied to the others, given to components, and kept', async () => {
    const planned = await bench.run({ do: 'plan' })
    expect(planned).toMatchObject({ code: 0 })
    expect(planned.events.find(e => e.type === 'plan')).toMatchObject({
      later: ['the secret alpha, beta is there'],
    })
    expect(await bench.values('alpha')).toEqual(['', '', ''])
    const first = await bench.run()
    expect(first, first.text).toMatchObject({ code: 0 })
    expect(first.did.filter(says => says.includes(': make '))).toEqual([
      'n1: make the secret alpha',
      'n1: make the secret beta',
    ])
    const alpha = await oneValue('alpha')
    expect(alpha).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await oneValue('beta')).not.toBe(alpha)
    await bench.each(async node => {
      expect(await node.run(`stat -c '%a %U' ${FOLDER} ${FOLDER}/* | sort -u`)).toBe('600 root\n700 root\n')
      expect(await node.run('cat /etc/story-alpha')).toBe(alpha)
    })
    const before = await bench.each(node => node.files())
    const again = await bench.run()
    expect(again, again.text).toMatchObject({ code: 0, did: [] })
    expect(await bench.each(node => node.files())).toEqual(before)
  })

  test('two runs at once make one value: the other is told who has the lock', async () => {
    const runs = await Promise.all(['ada@desk', 'bob@lap'].map(who => bench.run({ who })))
    expect(runs.map(run => run.code).toSorted(), runs.map(run => run.text).join()).toEqual([0, 7])
    await oneValue('alpha')
    await oneValue('beta')
  })

  test.each([
    ['made', 'n1: make the secret alpha'],
    ['copied to one', 'n2: copy the secret alpha from n1'],
  ])('a CLI that was killed when a secret was %s: the next run goes on with the same value', async (_, when) => {
    const killed = bench.start()
    await killed.until(e => e.type === 'done' && `${e.node}: ${e.says}` === when)
    killed.child.kill('SIGKILL')
    await killed.ended
    const made = (await bench.values('alpha')).find(value => value !== '')
    const next = await bench.afterKill()
    expect(next, next.text).toMatchObject({ code: 0 })
    expect(await oneValue('alpha')).toBe(made)
    await oneValue('beta')
    expect(await bench.run()).toMatchObject({ code: 0, did: [] })
  })

  test('a control node that takes no part: nothing is made, and it is named', async () => {
    const file = bench.file({ offline: ['n3'] })
    const without = await bench.run({ file })
    expect(without.failure).toMatchObject({
      exit: 4,
      message: 'The secret alpha is not there, and cannot be made without n3.',
    })
    bench.lab.node('n3').cut()
    const cut = await bench.run().finally(() => bench.lab.node('n3').heal())
    expect(cut.failure).toMatchObject({ exit: 4 })
    expect(cut.failure!['message']).toContain('n3')
    expect(await bench.values('alpha')).toEqual(['', '', ''])
    // What is there already needs nobody.
    expect(await bench.run()).toMatchObject({ code: 0 })
    await bench.lab.node('n2').run(`rm ${FOLDER}/alpha`)
    const again = await bench.run({ file, replaceApplied: 1 })
    expect(again, again.text).toMatchObject({ code: 0 })
    expect(await bench.lab.node('n2').run(`cat ${FOLDER}/alpha`)).toBe((await bench.values('alpha'))[0])
  })

  test('different values stop it with the names of the nodes, and without the values', async () => {
    expect(await bench.run()).toMatchObject({ code: 0 })
    const kept = await oneValue('alpha')
    await bench.lab.node('n2').run(`printf canary-of-n2 >${FOLDER}/alpha`)
    const stopped = await bench.run()
    expect(stopped.failure).toMatchObject({
      exit: 9,
      message: 'The secret alpha is not the same on all control nodes.',
      why: 'one value on n1, n3; another on n2',
    })
    expect(stopped.text).not.toContain('canary')
    expect(stopped.text).not.toContain(kept)
  })

  test('a secret that every node has lost is not made anew', async () => {
    expect(await bench.run()).toMatchObject({ code: 0 })
    await bench.each(node => node.run(`rm ${FOLDER}/beta`))
    expect((await bench.run()).failure).toMatchObject({
      exit: 9,
      message: 'The secret beta was lost: no control node has it any more.',
    })
  })

  test('what all have lost is restored to one node from the recovery file, and what is in use is never overwritten', async () => {
    expect(await bench.run()).toMatchObject({ code: 0 })
    const secrets = { alpha: await oneValue('alpha'), beta: await oneValue('beta') }
    const restoring = (all = secrets) =>
      bench.run({ do: 'restore', recovered: { cluster: 'halle', secrets: all } })
    expect((await restoring()).events.at(-1)).toMatchObject({ restored: [], there: ['alpha', 'beta'] })
    await bench.each(node => node.run(`rm ${FOLDER}/beta`))
    const other = await restoring({ ...secrets, alpha: 'canary' })
    expect(other.failure).toMatchObject({ exit: 9, message: expect.stringContaining('value of alpha than') })
    bench.lab.node('n3').cut()
    expect((await restoring().finally(() => bench.lab.node('n3').heal())).failure).toMatchObject({ exit: 4 })
    const restored = await restoring()
    expect(restored.events.at(-1), restored.text).toMatchObject({ restored: ['beta'], there: ['alpha'] })
    expect(restored.text).not.toContain(secrets.beta)
    expect(await bench.values('beta')).toEqual([secrets.beta, '', ''])
    expect(await bench.run()).toMatchObject({ code: 0 })
    expect(await oneValue('beta')).toBe(secrets.beta)
  })

  test('a file that others may read, or that is missing, is put back', async () => {
    expect(await bench.run()).toMatchObject({ code: 0 })
    await bench.lab.node('n2').run(`chmod 644 ${FOLDER}/alpha; chown ops ${FOLDER}/beta; rm -f ${FOLDER}/.x`)
    const mended = await bench.run()
    expect(mended.did.toSorted()).toEqual([
      'n2: put back the secret alpha: it is for root alone (0600)',
      'n2: put back the secret beta: it is for root alone (0600)',
    ])
    expect(await bench.run()).toMatchObject({ code: 0, did: [] })
  })

  test('rotated: a new value on all nodes, and in the next run at the components', async () => {
    expect(await bench.run()).toMatchObject({ code: 0 })
    const [alpha, beta] = [await oneValue('alpha'), await oneValue('beta')]
    const rotated = await bench.run({ do: 'rotate', name: 'alpha' })
    expect(rotated, rotated.text).toMatchObject({ code: 0 })
    const next = await oneValue('alpha')
    expect(next).not.toBe(alpha)
    expect(await oneValue('beta')).toBe(beta)
    expect(await bench.values('alpha.next')).toEqual(['', '', ''])
    expect(await bench.lab.node('n1').run('cat /etc/story-alpha')).toBe(alpha)
    expect(await bench.run()).toMatchObject({ code: 0 })
    expect(await bench.lab.node('n1').run('cat /etc/story-alpha')).toBe(next)
    for (const name of ['ca-key', 'gamma'])
      expect((await bench.run({ do: 'rotate', name })).failure).toMatchObject({ exit: 2 })
  })

  test.each([
    ['made', 'n1: make a new value of the secret alpha'],
    ['copied to one', 'n2: copy the new value of the secret alpha from n1'],
    ['used by one', 'n1: use the new value of the secret alpha'],
  ])('a rotation that was killed when the value was %s: the next `up` ends it', async (_, when) => {
    expect(await bench.run()).toMatchObject({ code: 0 })
    const before = await oneValue('alpha')
    const killed = bench.start({ do: 'rotate', name: 'alpha' })
    await killed.until(e => e.type === 'done' && `${e.node}: ${e.says}` === when)
    killed.child.kill('SIGKILL')
    await killed.ended
    const next = await bench.afterKill()
    expect(next, next.text).toMatchObject({ code: 0 })
    expect(await oneValue('alpha')).not.toBe(before)
    expect(await bench.values('alpha.next')).toEqual(['', '', ''])
    expect(await bench.lab.node('n2').run('cat /etc/story-alpha')).toBe(await oneValue('alpha'))
  })

  test('values are in no process list, journal, log, plan, audit or file that others may read', async () => {
    await bench.each(node =>
      node.run(
        `rm -f /run/seen; systemd-run --quiet --collect --unit=story-watch sh -c 'while :; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; sleep 0.05; done >/run/seen'`,
      ),
    )
    const runs = [
      await bench.run({ do: 'plan' }),
      await bench.run(),
      await bench.run({ do: 'rotate', name: 'alpha' }),
      await bench.run({ do: 'plan' }),
      await bench.run(),
    ]
    await bench.each(node => node.run('systemctl stop story-watch'))
    for (const ran of runs) expect(ran, ran.text).toMatchObject({ code: 0 })
    const values = [await oneValue('alpha'), await oneValue('beta')]
    for (const value of values) {
      for (const ran of runs) expect(ran.text).not.toContain(value)
      const allowed = `^(${FOLDER}|/etc/story-)`
      const found = await bench.each(node =>
        node.run(
          `cat >/root/canary; grep -c -a -F -f /root/canary /run/seen
           journalctl --no-pager --quiet | grep -c -a -F -f /root/canary
           grep -r -a -l -s -F -f /root/canary --exclude=canary /etc /var /run /tmp /root /opt /home | grep -vE '${allowed}'
           find ${FOLDER} /etc/story-alpha /etc/story-beta -type f -perm /077; rm -f /root/canary; :`,
          { input: value },
        ),
      )
      expect(found).toEqual(['0\n0\n', '0\n0\n', '0\n0\n'])
    }
    for (const one of await bench.each(node => node.run('grep -a -c llmagentos /run/seen; rm -f /run/seen')))
      expect(Number(one)).toBeGreaterThan(0)
  })

  test('the recovery file: asked for before anything is made, for the recipients alone, and written anew when something changed', async () => {
    expect((await bench.run({ file: bench.file({ more: '\n' }) })).failure).toMatchObject({ exit: 2 })
    const recoveryFile = join(tempFolder(), 'halle.recovery.age')
    const with_ = (recipient: string) => ({
      file: bench.file({ more: `recovery: {recipients: [${recipient}]}\n` }),
      recoveryFile,
    })
    expect((await bench.run(with_('age1qqqqqqqqqqqq'))).failure).toMatchObject({ exit: 2 })
    expect(await bench.values('alpha')).toEqual(['', '', ''])
    const identity = await generateIdentity()
    const job = with_(await identityToRecipient(identity))
    expect(await bench.run(job)).toMatchObject({ code: 0 })
    const open = async () => {
      const decrypter = new Decrypter()
      decrypter.addIdentity(identity)
      const text = await decrypter.decrypt(armor.decode(readFileSync(recoveryFile, 'utf8')), 'text')
      return JSON.parse(text).secrets
    }
    expect(await open()).toEqual({ alpha: await oneValue('alpha'), beta: await oneValue('beta') })
    rmSync(recoveryFile)
    expect(await bench.run(job)).toMatchObject({ code: 0, did: [] })
    expect(existsSync(recoveryFile)).toBe(false)
    expect(await bench.run({ ...job, do: 'rotate', name: 'alpha' })).toMatchObject({ code: 0 })
    expect(await bench.run(job)).toMatchObject({ code: 0 })
    expect(await open()).toMatchObject({ alpha: await oneValue('alpha') })
  })
})
