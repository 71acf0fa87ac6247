import type { Fact } from '../../facts/fact.ts'
import { linesOf } from '../../facts/fields.ts'
import type { View } from '../component.ts'
import type { Config } from './schema.ts'

/** What an Ollama on a node says of itself, and which groups may use its cards. */
export interface Answers {
  /** undefined: nobody answers. */
  version?: string
  groups: string[]
}

// A minimal Debian has no HTTP client but bash.
const ASK = `getent group render video | cut -d: -f1
{ exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || exit 0
printf 'GET /api/version HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3
timeout 3 cat <&3 | sed -n 's/.*"version" *: *"\\([0-9A-Za-z.+-]*\\)".*/version \\1/p'`

export const answers = ({ config }: View<Config>): Fact<Answers> => ({
  id: `ollama at ${config.port}`,
  deadlineMs: 10_000,
  script: `exec bash -c '${ASK.replaceAll("'", `'\\''`)}' bash ${config.port}`,
  parse(stdout) {
    const lines = linesOf(stdout)
    const version = lines.find(line => line.startsWith('version '))?.slice('version '.length)
    return { ...(version && { version }), groups: lines.filter(line => !line.startsWith('version ')) }
  },
})

/** For bash: ends with 0 once an Ollama of that version answers on that port. */
export const IS_UP = `${ASK} | grep -qxF "version $2"`
