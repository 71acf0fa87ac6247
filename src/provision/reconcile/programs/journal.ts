import { JOURNAL, STATE } from './places.ts'

/** When the journal is larger, the next step begins a new one and keeps this one beside it, in place of the one before. */
export const JOURNAL_BYTES = 4 * 1024 * 1024
export const OLDER_JOURNAL = `${JOURNAL}.1`

/**
 * Shell functions. `rotate` makes room where the journal is full: one rename, so that each line stands in one of the two files whenever it
 * is killed. `journal REST` adds a line: time, the fields of `about`, REST; it is written whole also where the file is renamed meanwhile.
 */
export const KEEP_JOURNAL = String.raw`rotate() {
  [ -f ${JOURNAL} ] || return 0
  [ "$(stat -c %s ${JOURNAL})" -ge ${JOURNAL_BYTES} ] || return 0
  mv -fT ${JOURNAL} ${OLDER_JOURNAL} && sync ${STATE}
}

journal() {
  { printf '{"at":"%s",%s,%s}\n' "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" "$about" "$1" >&7 && sync /dev/fd/7; } 7>>${JOURNAL}
}`

/**
 * Prints the last $1 lines of both files, the older ones first. The newer one is opened first: where it is renamed meanwhile, both are the
 * same file, and it is read once. Plain `exec` would end the shell where a file is missing. awk ends a line that a power failure cut short.
 */
export const READ_JOURNAL = `command exec 4<${JOURNAL} || exec 4</dev/null
command exec 3<${OLDER_JOURNAL} || exec 3</dev/null
if [ /dev/fd/3 -ef /dev/fd/4 ]; then exec 3</dev/null; fi
awk 1 /dev/fd/3 /dev/fd/4 | tail -n "$1"`
