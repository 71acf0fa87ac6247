#!/usr/bin/env bash
# What a CI job does with llmagentos: exit codes tell what happened, JSON tells the rest. Needs bash and Node alone.
set -euo pipefail

llmagentos() { node "$(dirname "$0")/../bin/llmagentos.js" "$@"; }
field() { node -e 'let t="";process.stdin.on("data",d=>t+=d).on("end",()=>{let v=JSON.parse(t);for(const k of process.argv[1].split("."))v=v?.[k];console.log(v??"")})' "$1"; }

# A cluster of its own on this machine; a second `cluster up` would change nothing.
llmagentos cluster up --port "${PORT:-7420}" --json

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The job works under a key that can do no more than it needs, and that ends by itself.
llmagentos key create ci-job --scope ask --scope kb:read --scope kb:write --scope data:read --scope data:write \
  --scope tasks:read --scope tasks:write --expires 1d --save "$work/key"
export LLMAGENTOS_KEY_FILE="$work/key"

llmagentos kb add "$(dirname "$0")/../README.md" --kb release-notes

# A question: the answer and its first source.
answer=$(llmagentos ask --json --kb release-notes "what does llmagentos do?")
echo "engine: $(field engine <<<"$answer")"
echo "source: $(field sources.0.document <<<"$answer")"

# A task: the exit code is its fate. The idempotency key makes a repeated job wait for the first one's task.
if llmagentos task submit --wait --json --idempotency-key "build-${BUILD:-1}" --kind qa \
  --param question="what does llmagentos do?" >"$work/task.json"; then
  echo "task: done"
else
  case $? in
    6) echo "task: failed" ;;
    8) echo "task: expired" ;;
    130) echo "task: cancelled" ;;
    *) exit 1 ;;
  esac
fi

# A mistake of the caller is 2, a missing cluster 4: a script need not read any text.
set +e
llmagentos ask --model no-such-model "anything" 2>/dev/null
echo "unknown model: exit $?"
llmagentos user list 2>/dev/null
echo "what the key may not do: exit $?"
set -e

llmagentos cluster down --purge --confirm local

set +e
llmagentos ask "anything" 2>/dev/null
echo "no cluster: exit $?"
