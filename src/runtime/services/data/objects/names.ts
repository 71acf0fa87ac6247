import { badRequest } from '../../../refusal.ts'
import { inverted, PAST_NUMBERS } from '../inverted.ts'

const MOST_BYTES = 512
/** Base64 whose characters sort like the bits they stand for, all of them after `/`. */
const SORTED = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~'

/** Refuses a name that a file system or a URL could misread. */
export function checkName(name: string): void {
  const wrong =
    Buffer.byteLength(name) > MOST_BYTES
      ? `it has more than ${MOST_BYTES} bytes`
      : /[\u0000-\u001f\u007f]/.test(name)
        ? 'it holds control characters'
        : name.split('/').some(segment => segment === '' || segment === '.' || segment === '..')
          ? 'it begins or ends with a slash, or holds an empty part, `.` or `..`'
          : undefined
  if (wrong)
    throw badRequest(`This is no name for an object: ${wrong}.`, 'Use a relative path like notes/today.md.')
}

/** Record names of one user's objects: `obj/<user>/<name>/<inverted version>`, in byte order of the objects' names. */
export const spaceOf = (user: string) => `obj/${user}/`
export const folderOf = (user: string, name: string) => `${spaceOf(user)}${sortable(name)}/`
export const versionKey = (user: string, name: string, version: number) =>
  folderOf(user, name) + inverted(version)

/** Where a LIST goes on that skips the other versions of the object that `key` belongs to. */
export const pastObject = (key: string) => key.slice(0, key.lastIndexOf('/') + 1) + PAST_NUMBERS

/** Where a LIST begins that wants names from `name` on, itself included; and after it. */
export const before = (user: string, name: string) => spaceOf(user) + sortable(name)
export const after = (user: string, name: string) => folderOf(user, name) + PAST_NUMBERS

function sortable(name: string): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of Buffer.from(name)) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += SORTED[(held >> bits) & 63]
    }
  }
  return bits > 0 ? text + SORTED[(held << (6 - bits)) & 63] : text
}
