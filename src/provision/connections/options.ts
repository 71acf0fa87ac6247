import { homedir, hostname, userInfo } from 'node:os'

/** What `ssh -G` says: each option with its values, in order. Names are in lower case. */
export type Options = ReadonlyMap<string, readonly string[]>

/** Reads the output of `ssh -G`: a name and its value on each line; a repeated name adds a value. */
export function parseOptions(text: string): Options {
  const options = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const blank = line.indexOf(' ')
    if (blank <= 0) continue
    const name = line.slice(0, blank).toLowerCase()
    const value = line.slice(blank + 1).trim()
    const values = options.get(name)
    if (values) values.push(value)
    else options.set(name, [value])
  }
  return options
}

/** The names of options that differ from OpenSSH's built-in ones: what somebody wrote into a configuration. */
export function givenOptions(options: Options, builtIn: Options): string[] {
  return [...options]
    .filter(([name, values]) => String(values) !== String(builtIn.get(name)))
    .map(([name]) => name)
}

export interface Host {
  options: Options
  /** What the caller named: an address or a name of ~/.ssh/config. */
  alias: string
  host: string
  port: number
  user: string
  /** Under which known_hosts has it. */
  knownAs: string
  /** Paths, expanded. */
  identityFiles: string[]
  identitiesOnly: boolean
  /** A socket, undefined when there is no agent or none is wanted. */
  agent: string | undefined
  knownHostsFiles: string[]
  /** Comma-separated in -G; in order of preference. */
  hostKeyAlgorithms: string[]
  jumps: string[]
  bindAddress: string | undefined
  family: 0 | 4 | 6
  connectMs: number | undefined
  keepaliveMs: number | undefined
  keepaliveCount: number
  /** Paths with a token that we do not know; the system's ssh does. */
  unexpanded: string[]
}

/** The options that we act on, as values. `env` gives SSH_AUTH_SOCK and what ${NAME} in a path stands for. */
export function hostOf(alias: string, options: Options, env: NodeJS.ProcessEnv): Host {
  const one = (name: string) => {
    const value = options.get(name)?.[0]
    return value === undefined || value === 'none' ? undefined : value
  }
  const host = one('hostname') ?? alias
  const port = Number(one('port') ?? 22)
  const user = one('user') ?? userInfo().username
  const knownAs = one('hostkeyalias') ?? host
  const unexpanded: string[] = []
  const expanded = (path: string) => {
    const whole = expand(path, { alias, host, port, user, knownAs }, env)
    if (whole === undefined) unexpanded.push(path)
    return whole ?? []
  }
  const listed = (name: string) => pathList(options.get(name)?.[0] ?? '').flatMap(expanded)
  const seconds = (name: string) => (Number(one(name)) > 0 ? Number(one(name)) * 1000 : undefined)
  return {
    options,
    alias,
    host,
    port,
    user,
    knownAs: one('hostkeyalias') ?? (port === 22 ? host : `[${host}]:${port}`),
    identityFiles: (options.get('identityfile') ?? []).filter(file => file !== 'none').flatMap(expanded),
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agentOf(options.get('identityagent')?.[0], env, path => [expanded(path)].flat()[0]),
    knownHostsFiles: [...listed('userknownhostsfile'), ...listed('globalknownhostsfile')].filter(
      file => file !== 'none',
    ),
    hostKeyAlgorithms: (one('hostkeyalgorithms') ?? '').split(',').filter(Boolean),
    jumps: (one('proxyjump') ?? '').split(',').filter(Boolean),
    bindAddress: one('bindaddress'),
    family: one('addressfamily') === 'inet' ? 4 : one('addressfamily') === 'inet6' ? 6 : 0,
    connectMs: seconds('connecttimeout'),
    keepaliveMs: seconds('serveraliveinterval'),
    keepaliveCount: Number(one('serveralivecountmax') ?? 3),
    unexpanded,
  }
}

/** -G prints lists of files without quotes: a blank parts two of them only before the beginning of a path. */
export function pathList(text: string): string[] {
  return text.split(/ +(?=[/~%$]|none(?: |$))/).filter(Boolean)
}

function agentOf(
  said: string | undefined,
  env: NodeJS.ProcessEnv,
  expanded: (path: string) => string | undefined,
): string | undefined {
  if (said === 'none') return undefined
  if (said === undefined || said === 'SSH_AUTH_SOCK') return env['SSH_AUTH_SOCK'] || undefined
  if (/^\$\w+$/.test(said)) return env[said.slice(1)] || undefined
  return expanded(said)
}

function expand(
  path: string,
  o: { alias: string; host: string; port: number; user: string; knownAs: string },
  env: NodeJS.ProcessEnv,
): string | undefined {
  const home = () => userInfo().homedir || homedir()
  const tokens: Record<string, () => string> = {
    '%': () => '%',
    d: home,
    h: () => o.host,
    i: () => String(userInfo().uid),
    k: () => o.knownAs,
    L: () => hostname().split('.')[0]!,
    l: hostname,
    n: () => o.alias,
    p: () => String(o.port),
    r: () => o.user,
    u: () => userInfo().username,
  }
  let unknown = false
  const known = (value: string | undefined) => {
    unknown ||= value === undefined
    return value ?? ''
  }
  const whole = path
    .replace(/^~(?=\/|$)/, home)
    .replace(/%(.)/g, (_, letter: string) => known(tokens[letter]?.()))
    .replace(/\$\{(\w+)\}/g, (_, name: string) => known(env[name]))
  return unknown ? undefined : whole
}
