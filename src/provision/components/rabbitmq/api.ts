import { AUTHORIZATION, PORTS } from './names.ts'

// A minimal Debian has no HTTP client but bash. HTTP/1.0, so that the body comes whole and the end of it is the end of the connection.
// The password goes from a file of root's into the socket, and is in no argument.
const CALL = `call() {
  { exec 3<>/dev/tcp/127.0.0.1/${PORTS.management}; } 2>/dev/null || return 1
  local LC_ALL=C
  printf '%s %s HTTP/1.0\\r\\nHost: localhost\\r\\nAuthorization: Basic %s\\r\\nContent-Type: application/json\\r\\nContent-Length: %s\\r\\n\\r\\n%s' \\
    "$1" "$2" "$(<${AUTHORIZATION})" "\${#3}" "$3" >&3
  answer=$(cat <&3); exec 3>&-
  status=\${answer:9:3} body=\${answer#*$'\\r\\n\\r\\n'}
  [ -n "$status" ]
}`

/** For bash: the answer to each path as PATH TAB STATUS TAB BODY. A broker that does not answer makes it end without them. */
export const GET = `${CALL}
for path; do
  call GET "$path" || { echo down; exit 0; }
  printf '%s\\t%s\\t%s\\n' "$path" "$status" "\${body//[$'\\n\\r\\t']/ }"
done`

/** For bash: sends standard input, as the method $1 to the path $2. */
export const SEND = `${CALL}
text=$(cat)
call "$1" "$2" "$text" || { echo 'the broker does not answer' >&2; exit 1; }
case $status in 2*) exit 0 ;; esac
echo "the broker refused: $status $body" >&2
exit 1`

/** For bash: exits 0 when all brokers that are named run, without a partition among them and without an alarm. */
export const HEALTHY = `${CALL}
call GET '/api/nodes?columns=name,running,partitions' && [ "$status" = 200 ] || { echo 'the broker does not answer' >&2; exit 1; }
nodes=$body
for name; do
  own=\${nodes#*\\"name\\":\\"$name\\"}; [ "$own" != "$nodes" ] || { echo "$name is no member" >&2; exit 1; }
  before=\${nodes%%\\"name\\":\\"$name\\"*}
  object="\${before##*\\{}\${own%%\\}*}"
  [[ $object == *'"running":true'* ]] || { echo "$name does not run" >&2; exit 1; }
  [[ $object != *'"partitions":["'* ]] || { echo "$name does not see all others" >&2; exit 1; }
done
call GET /api/health/checks/alarms && [ "$status" = 200 ] || { echo "there is an alarm: $body" >&2; exit 1; }`

/** For bash: exits 0 when no queue would lose its majority without this broker. */
export const SPARE = `${CALL}
call GET /api/health/checks/node-is-quorum-critical && [ "$status" = 200 ] || { echo "queues need this broker: $body" >&2; exit 1; }`
