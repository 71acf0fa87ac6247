import { extname } from 'node:path'
import { EXIT, Failure } from '../../errors.ts'

const TYPES: Record<string, string> = {
  '.csv': 'text/csv',
  '.gif': 'image/gif',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.jsonl': 'application/jsonl',
  '.log': 'text/plain',
  '.md': 'text/markdown',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.tar': 'application/x-tar',
  '.gz': 'application/gzip',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
  '.zip': 'application/zip',
}

/** The media type that a name's ending stands for. */
export const typeOf = (name: string) => TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream'

/** Reader of `--type`. */
export function mediaType(text: string): string {
  if (/^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(;[ -~]{0,100})?$/.test(text)) return text
  throw new Failure(`${text} is not a media type.`, { exit: EXIT.usage, next: 'Write one like text/plain.' })
}
