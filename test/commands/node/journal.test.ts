import { expect, test } from 'vitest'
import { entryOf, fieldsOf, shortIso } from '../../../src/commands/node/journal.ts'

const line = (more: object = {}) =>
  JSON.stringify({
    __CURSOR: 's=1',
    __REALTIME_TIMESTAMP: String(Date.UTC(2026, 0, 31, 23, 30) * 1_000),
    _HOSTNAME: 'n1',
    SYSLOG_IDENTIFIER: 'sshd',
    _PID: '42',
    MESSAGE: 'one\ntwo',
    ...more,
  })

test('an entry reads as journalctl prints it, by the clock of its node', () => {
  const fields = fieldsOf(line())!
  expect(shortIso(fields, '+01:00')).toBe(
    '2026-02-01T00:30:00+01:00 n1 sshd[42]: one\n                                       two',
  )
  expect(shortIso(fields, '-03:30')).toContain('2026-01-31T20:00:00-03:30 n1')
  const kernel = fieldsOf(line({ SYSLOG_IDENTIFIER: 'kernel', _PID: undefined, MESSAGE: 'link up' }))!
  expect(shortIso(kernel, '+00:00')).toBe('2026-01-31T23:30:00+00:00 n1 kernel: link up')
})

test('bytes that are no text are shown as far as they are, and a line that is no entry is none', () => {
  const bytes = [...Buffer.from('gr\u00fc\u00dfe')]
  expect(entryOf('n1', fieldsOf(line({ MESSAGE: bytes }))!)).toMatchObject({
    node: 'n1',
    says: 'grüße',
    pid: 42,
  })
  for (const none of ['-- Boot 1 --', '{"half', '[]', 'null', '{}'])
    expect(fieldsOf(none), none).toBeUndefined()
})
