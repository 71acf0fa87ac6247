import type { Failure } from '../../../src/errors.ts'

/** What a promise that must fail failed with. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise
  } catch (thrown) {
    return thrown as Failure
  }
  throw new Error('it did not fail')
}
