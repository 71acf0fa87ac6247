import { ISSUE } from './issue.ts'
import { ISSUED } from './issued.ts'
import { FOLDER } from './paths.ts'

/** Makes the key $1 of the owner $2 with the mode $3, and the request for it. A key that can be read stays. */
export const KEY = `umask 022
mkdir -p ${FOLDER} && cd ${FOLDER} || exit 1
umask 077
trap 'rm -f -- ".$1.key" ".$1.csr"' EXIT
if ! openssl pkey -in "$1.key" -passin pass: -noout 2>/dev/null || [ "$4" = new ]; then
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ".$1.key" || exit
else
  cp -- "$1.key" ".$1.key" || exit
fi
openssl req -new -key ".$1.key" -subj "/CN=$1" -config /dev/null -out ".$1.csr" &&
chown -- "$2" ".$1.key" && chmod "$3" ".$1.key" && chmod 644 ".$1.csr" && sync ".$1.key" ".$1.csr" &&
mv -fT -- ".$1.key" "$1.key" && mv -fT -- ".$1.csr" "$1.csr" && sync .`

/** Signs the request on standard input: for node $1 and name $2, with subject $3, seconds of life $4 and extensions $5. */
export const SIGN = `umask 077
${ISSUE}
cat >"$at/csr" && mkdir -p -m 0700 ${ISSUED} && find ${ISSUED} -name '*.crt' -mmin +60 -delete &&
issue "$3" "$4" "$5" -cert /var/lib/llmagentos/secrets/ca-certificate >"$at/done" &&
mv -fT -- "$at/done" "${ISSUED}/$1.$2.crt"`

/** Puts the certificate on standard input in the place of $1.crt, whole; then tells the units behind it. */
export const PLACE = `cd ${FOLDER} || exit 1
trap 'rm -f -- ".$1.crt"' EXIT
cat >".$1.crt" && [ -s ".$1.crt" ] && chmod 644 ".$1.crt" && sync ".$1.crt" && mv -fT -- ".$1.crt" "$1.crt" && sync . || exit 1
shift
for unit; do ! systemctl --quiet is-active -- "$unit" || systemctl try-reload-or-restart -- "$unit" || exit; done`
