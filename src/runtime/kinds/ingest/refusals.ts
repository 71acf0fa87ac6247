import { Refusal } from '../../refusal.ts'
import { MOST_BYTES } from './document.ts'

export const unreadable = (name: string, why: string, next?: string) =>
  new Refusal(422, 'unreadable', `${name} cannot be read: ${why}.`, { next })

export const tooLarge = (name: string, bytes: number) =>
  new Refusal(
    413,
    'too_large',
    `${name} has ${mib(bytes)} MiB; a document may have ${mib(MOST_BYTES)} MiB.`,
    {
      next: 'Split it, or keep it as an object: `llmagentos data put`.',
    },
  )

const mib = (bytes: number) => Math.round((bytes / 1024 / 1024) * 10) / 10
