import { quote } from '../connections/quote.ts'
import type { Fact } from './fact.ts'
import { linesOf } from './fields.ts'

/** One source of packages, and why it did not answer. */
export interface Archive {
  uri: string
  /** undefined when it answered. */
  error?: string
}

const EACH_MS = 10_000

/**
 * Whether the node reaches its archives: each InRelease file that `apt-get update` would fetch is fetched once by apt's own program,
 * with its proxies and keys, into a folder that is removed. `mirror` stands in for the node's own sources, `proxy` for its own proxy.
 */
export function archives(o: { mirror?: string; proxy?: string } = {}): Fact<Archive[]> {
  const options = [
    `-oAcquire::http::Timeout=${EACH_MS / 1000}`,
    `-oAcquire::https::Timeout=${EACH_MS / 1000}`,
    '-oAcquire::Retries=0',
    ...(o.proxy ? [`-oAcquire::http::Proxy=${o.proxy}`, `-oAcquire::https::Proxy=${o.proxy}`] : []),
  ]
  const wanted = o.mirror
    ? `. /etc/os-release; printf '%s/dists/%s/InRelease\\n' ${quote([o.mirror.replace(/\/+$/, '')])} "$VERSION_CODENAME"`
    : `apt-get update --print-uris | sed -n "s/^'\\([^']*InRelease\\)'.*/\\1/p" | sort -u`
  return {
    id: `archives ${o.mirror ?? ''} ${o.proxy ?? ''}`,
    deadlineMs: 45_000,
    script: `uris=$(${wanted}) || exit
folder=$(mktemp -d) || exit
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' TERM
chmod 0711 "$folder"
number=0
for uri in $uris; do
  number=$((number + 1))
  mkdir "$folder/$number"
  chown _apt "$folder/$number" 2>/dev/null
  {
    said=$(timeout ${(EACH_MS * 2) / 1000} /usr/lib/apt/apt-helper ${quote(options)} download-file "$uri" "$folder/$number/file" 2>&1)
    code=$?
    [ $code != 0 ] || said=
    printf '%s\\t%s\\t%s\\n' "$uri" "$code" "$(printf '%s' "$said" | grep '^E:' | head -n 1 | tr '\\t' ' ')" >"$folder/$number/answer"
  } &
done
wait
cat "$folder"/*/answer 2>/dev/null || true`,
    parse: stdout =>
      linesOf(stdout).map(line => {
        const [uri, code, said] = line.split('\t')
        if (!uri || !/^\d+$/.test(code ?? '')) throw new Error(`${JSON.stringify(line)} is no line of it`)
        return { uri: uri.replace(/\/\/[^/@]*@/, '//'), ...(code !== '0' && { error: errorOf(code!, said) }) }
      }),
  }
}

function errorOf(code: string, said: string | undefined): string {
  if (code === '124') return `no answer within ${(EACH_MS * 2) / 1000} s`
  return (
    said
      ?.replace(/^E: */, '')
      .replace(/^Failed to fetch \S+ */, '')
      .trim() || `exit ${code}`
  )
}
