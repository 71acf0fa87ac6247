/** Seconds for which a certificate is valid before it was made: clocks differ. */
const BACKDATED = 120

/**
 * Shell function: signs $at/csr with the CA's key and prints the certificate. Its arguments: subject, seconds of life, extensions, then
 * options of `openssl ca`. That one and not `openssl x509 -req`, which on Debian 12 and 13 alike counts life in whole days. Names come from
 * the arguments alone: what a node writes into its request is not believed. A request whose own signature is wrong is refused.
 * `folder` and `key` are words of sh. A step of `up` and the signer on control nodes sign by this, so both make the same.
 */
export const issueProgram = (o: {
  folder: string
  key: string
}) => `at=$(mktemp -d ${o.folder}/llmagentos-issue.XXXXXX) || exit 1
trap 'rm -rf -- "$at"' EXIT
issue() {
  subject=$1 now=$(date +%s) end=$(($(date +%s) + $2))
  printf '%s' "$3" >"$at/extensions"
  shift 3
  : >"$at/index"
  cat >"$at/config" <<END
[ca]
default_ca = ours
[ours]
database = $at/index
new_certs_dir = $at
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
organizationName = optional
commonName = supplied
END
  stamp() { date -u -d "@$1" +%Y%m%d%H%M%SZ; }
  openssl ca -batch -notext -config "$at/config" -keyfile ${o.key} -in "$at/csr" -out "$at/certificate" -subj "$subject" \\
    -startdate "$(stamp $((now - ${BACKDATED})))" -enddate "$(stamp "$end")" -extfile "$at/extensions" "$@" >&2 &&
  openssl x509 -in "$at/certificate"
}`
