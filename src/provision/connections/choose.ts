import { EXIT, Failure } from '../../errors.ts'
import { isForSsh2, typeOf } from './known-hosts.ts'
import type { Host } from './options.ts'

export interface Choice {
  kind: 'ssh2' | 'system'
  /** Why, in a sentence. */
  says: string
  /** ssh2 could not carry it: nor can its host key be read beforehand. */
  onlyBySystem: boolean
  /** Options that were set aside, and why. */
  aside: string[]
}

/** What is known of a machine beside its options. */
export interface Traits {
  /** known_hosts has only a certificate authority for it. */
  needsHostCertificate: boolean
  /** Types of the identities on offer: files and agent. */
  identities: { type: string; where: string }[]
  /** A Kerberos ticket is at hand. */
  ticket: boolean
  /** A certificate that lies beside one of the identity files. */
  certificate?: string
  /** Types of the host keys that known_hosts has for it. */
  knownTypes: string[]
}

/** Options whose result we use, or that only shape what we read from -G. */
const BY_SSH2 = new Set(
  `host hostname user port identityfile identitiesonly identityagent userknownhostsfile globalknownhostsfile hostkeyalias
  hostkeyalgorithms proxyjump addressfamily bindaddress connecttimeout serveraliveinterval serveralivecountmax tcpkeepalive batchmode
  canonicalizehostname canonicaldomains canonicalizemaxdots canonicalizefallbacklocal canonicalizepermittedcnames
  numberofpasswordprompts passwordauthentication kbdinteractiveauthentication kbdinteractivedevices fingerprinthash gssapiauthentication
  gssapidelegatecredentials gssapikeyexchange gssapiclientidentity gssapiserveridentity gssapitrustdns gssapirenewalforcesrekey gssapikexalgorithms
  preferredauthentications pubkeyauthentication stricthostkeychecking connectionattempts`
    .trim()
    .split(/\s+/),
)

/** Options that mean something only to a person at a terminal, or would change what our commands do. */
const ASIDE: Record<string, string> = {
  ...naming(
    'belongs to a person at a terminal',
    `addkeystoagent visualhostkey escapechar enableescapecommandline loglevel logverbose
    syslogfacility requesttty localcommand permitlocalcommand remotecommand sessiontype stdinnull forkafterauthentication tag`,
  ),
  ...naming(
    'our commands need no forwarding, and forward no agent',
    `localforward remoteforward dynamicforward gatewayports
    clearallforwardings exitonforwardfailure forwardagent forwardx11 forwardx11trusted forwardx11timeout xauthlocation tunnel tunneldevice
    permitremoteopen streamlocalbindmask streamlocalbindunlink`,
  ),
  ...naming('a run has one connection per node of its own', 'controlmaster controlpath controlpersist'),
  ...naming('our commands bring their own environment', 'sendenv'),
  ...naming(
    'we add host keys only when told to, to a file of ours',
    'updatehostkeys hashknownhosts checkhostip',
  ),
}

/** Which program carries a node, and why. Throws (2) for an option that neither can honour, and for a forced one that cannot. */
export function choose(
  machines: { host: Host; given: string[]; traits: Traits }[],
  o: { node: string; client: 'auto' | 'ssh2' | 'system' },
): Choice {
  const reasons = machines.flatMap(machine => reasonsFor(machine, o.node))
  const aside = machines.flatMap(machine => setAside(machine))
  if (reasons.length > 0 && o.client === 'ssh2')
    throw new Failure(`${o.node} cannot be reached with client: ssh2.`, {
      exit: EXIT.usage,
      why: `It needs the system's ssh: ${reasons.join('; ')}.`,
      next: 'Use client: auto.',
    })
  if (reasons.length > 0)
    return {
      kind: 'system',
      says: `The system's ssh carries ${o.node}: ${reasons.join('; ')}.`,
      onlyBySystem: true,
      aside,
    }
  if (o.client === 'system')
    return {
      kind: 'system',
      says: `The system's ssh carries ${o.node}: client: system.`,
      onlyBySystem: false,
      aside,
    }
  return {
    kind: 'ssh2',
    says: `ssh2 carries ${o.node}: it honours all of its options.`,
    onlyBySystem: false,
    aside,
  }
}

function reasonsFor(o: { host: Host; given: string[]; traits: Traits }, node: string): string[] {
  const { host, given, traits } = o
  refuseWhatNeitherCan(host, traits, node)
  const at = `of ${host.alias}`
  const gssapi = host.options.get('gssapiauthentication')?.[0] === 'yes' && traits.ticket
  const usable = traits.identities.filter(({ type }) => BASIC_KEYS.test(type))
  const special = usable.length === 0 ? traits.identities : []
  return [
    ...given.filter(name => !BY_SSH2.has(name) && !(name in ASIDE)).map(name => `it honours ${name} ${at}`),
    ...(gssapi ? [`gssapiauthentication ${at} with a Kerberos ticket`] : []),
    ...(traits.needsHostCertificate ? [`known_hosts has only a certificate authority ${at}`] : []),
    ...special.map(({ type, where }) => `${where} is of type ${type}`),
    ...(traits.certificate ? [`there is a certificate, ${traits.certificate}`] : []),
    ...host.unexpanded.map(path => `it expands ${path} ${at}`),
    ...(host.hostKeyAlgorithms.some(isForSsh2)
      ? []
      : [`hostkeyalgorithms ${at} has only ${host.hostKeyAlgorithms.join(', ')}`]),
    ...(traits.knownTypes.length === 0 ||
    host.hostKeyAlgorithms.some(name => isForSsh2(name) && traits.knownTypes.includes(typeOf(name)))
      ? []
      : [`known_hosts has only ${traits.knownTypes.join(', ')} ${at}`]),
    ...(wants(host, 'preferredauthentications', /publickey/)
      ? []
      : [`preferredauthentications ${at} is without publickey`]),
  ]
}

const BASIC_KEYS = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/

function refuseWhatNeitherCan(host: Host, traits: Traits, node: string): void {
  const says = (name: string) => host.options.get(name)?.[0]
  const refuse = (option: string, why: string, next: string) => {
    throw new Failure(`The option ${option} of ${host.alias} cannot be honoured for ${node}.`, {
      exit: EXIT.usage,
      why,
      next,
    })
  }
  if (says('nohostauthenticationforlocalhost') === 'yes')
    refuse(
      'NoHostAuthenticationForLocalhost yes',
      'A host key is always checked before anything is run.',
      'Take it out for this host.',
    )
  const otherWay =
    (says('gssapiauthentication') === 'yes' && traits.ticket) || says('hostbasedauthentication') === 'yes'
  const noKeys = /^(no|false)$/.test(says('pubkeyauthentication') ?? 'yes')
  if ((noKeys || !wants(host, 'preferredauthentications', /publickey|gssapi|hostbased/)) && !otherWay)
    refuse(
      noKeys ? 'PubkeyAuthentication no' : 'PreferredAuthentications',
      'We log in with keys, certificates, a Kerberos ticket or host-based; never with a password.',
      'Allow publickey for this host.',
    )
}

function setAside({ host, given }: { host: Host; given: string[] }): string[] {
  const strict = host.options.get('stricthostkeychecking')?.[0] ?? 'ask'
  const looser = /^(no|off|false|accept-new)$/.test(strict)
  return [
    ...given.filter(name => name in ASIDE).map(name => `${name} of ${host.alias}: ${ASIDE[name]}`),
    ...(looser
      ? [`stricthostkeychecking ${strict} of ${host.alias}: host keys are always checked strictly`]
      : []),
  ]
}

function wants(host: Host, name: string, words: RegExp): boolean {
  const value = host.options.get(name)?.[0]
  return value === undefined || words.test(value)
}

function naming(reason: string, names: string): Record<string, string> {
  return Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map(name => [name, reason]),
  )
}
