import { SECRETS } from './fact.ts'

// Only one run writes here, so whatever a killed step left can go. A link fails where the name is taken.
const BEGIN = `umask 077
mkdir -p -m 0700 ${SECRETS} && cd ${SECRETS} && rm -f ".$1".?????? && temp=$(mktemp ".$1.XXXXXX") || exit 1
trap 'rm -f -- "$temp"' EXIT`

/** Makes the secret $1 by the program $2, unless it is there. */
export const MAKE = `${BEGIN}
[ ! -e "$1" ] || exit 0
sh -c "$2" >"$temp" || exit
[ -s "$temp" ] || { echo 'it came out empty' >&2; exit 1; }
sync "$temp" && { ln -T -- "$temp" "$1" || [ -e "$1" ]; } && sync . ..`

/** Writes standard input as the secret $1, over nothing but the same. */
export const COPY = `${BEGIN}
cat >"$temp" && [ -s "$temp" ] && sync "$temp" || exit 1
ln -T -- "$temp" "$1" 2>/dev/null || cmp -s -- "$temp" "$1" || { echo "$1 is there already, with another value" >&2; exit 1; }
sync . ..`

/** The next value of the secret $1 becomes the one in use. */
export const SWITCH = `cd ${SECRETS} || exit 1
[ -e "$1.next" ] || exit 0
mv -fT -- "$1.next" "$1" && sync .`

export const MEND = `cd ${SECRETS} && chown root:root -- "$1" && chmod 600 -- "$1"`
