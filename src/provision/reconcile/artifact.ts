import { EXIT, Failure } from '../../errors.ts'
import type { Connection, Source } from '../connections/connection.ts'
import { CACHE } from './programs/places.ts'

const READY = `umask 077
mkdir -p ${CACHE} || exit 1
find ${CACHE} -type f -mtime +7 -delete
[ -f "$1" ] && [ "$(stat -c %s "$1")" = "$2" ] && echo there || echo missing`

/**
 * Brings an artifact's bytes to the node, where the step then finds them by their digest. An upload that was cut goes on where it was;
 * it changes nothing that anybody uses, so no fence stands before it.
 */
export async function upload(
  connection: Connection,
  source: Source,
  o: { signal?: AbortSignal },
): Promise<void> {
  const path = `${CACHE}/${source.sha256}`
  const ready = await connection.exec(['sh', '-c', READY, 'sh', path, String(source.bytes)], {
    root: true,
    deadlineMs: 60_000,
    signal: o.signal,
  })
  if (ready.code !== 0)
    throw new Failure(`${connection.node} has no room for uploads.`, {
      exit: EXIT.partial,
      why: ready.stderr.trim(),
    })
  if (ready.stdout.trim() === 'there') return
  await connection.write(path, source, { mode: 0o600, signal: o.signal })
}
