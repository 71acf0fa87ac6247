import { beforeEach } from 'vitest'

/** Why there can be no lab here; `npm run test:lab` finds it out. */
export const lacks = process.env['LLMAGENTOS_LAB_LACKS']

/** Every story of the file is skipped, and says why, where there can be no lab. */
export function storiesOfTheLab(): void {
  beforeEach(ctx => ctx.skip(lacks !== undefined, lacks))
}
