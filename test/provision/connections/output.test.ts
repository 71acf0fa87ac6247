import { expect, test } from 'vitest'
import { Gate } from '../../../src/provision/connections/gate.ts'
import { HeadAndTail, Lines } from '../../../src/provision/connections/output.ts'

const kept = (keep: number, ...chunks: string[]) => {
  const output = new HeadAndTail(keep)
  for (const chunk of chunks) output.push(Buffer.from(chunk))
  return output.text()
}

test('output within the bound is kept as it is, however it came', () => {
  expect(kept(10, 'abcde', 'fghij')).toBe('abcdefghij')
  expect(kept(10, 'abcdefg', 'hij')).toBe('abcdefghij')
  expect(kept(10, ...'abcdefghij')).toBe('abcdefghij')
  expect(kept(10)).toBe('')
})

test('beyond it the middle is left out, and how much is told', () => {
  expect(kept(4, 'abcdefgh')).toBe('ab\n[... 4 bytes left out ...]\ngh')
  expect(kept(4, ...'abcdefgh')).toBe('ab\n[... 4 bytes left out ...]\ngh')
  expect(kept(4, 'a', 'bcdefg', 'h')).toBe('ab\n[... 4 bytes left out ...]\ngh')
})

test('lines come whole, also when a character was cut in two', () => {
  const lines: string[] = []
  const splitter = new Lines(line => lines.push(line))
  const bytes = Buffer.from('é\nü\n')
  for (const byte of bytes) splitter.push(Buffer.from([byte]))
  splitter.push(Buffer.from('last'))
  splitter.end()
  splitter.end()
  expect(lines).toEqual(['é', 'ü', 'last'])
})

test('a gate lets so many through, in order, and fewer once it was narrowed', async () => {
  const gate = new Gate(3)
  let [inside, most] = [0, 0]
  const order: number[] = []
  const pass = (i: number) =>
    gate.through(async () => {
      most = Math.max(most, ++inside)
      order.push(i)
      await new Promise(resolve => setTimeout(resolve, 5))
      inside--
    })
  await Promise.all([0, 1, 2, 3, 4, 5].map(pass))
  expect([most, order]).toEqual([3, [0, 1, 2, 3, 4, 5]])
  most = 0
  const narrowed = [0, 1, 2, 3, 4].map(pass)
  gate.narrow(1)
  await Promise.all(narrowed.slice(0, 3))
  most = 0
  await Promise.all(narrowed)
  expect(most).toBeLessThanOrEqual(1)
  await expect(gate.through(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
  expect(gate.inside).toBe(0)
})
