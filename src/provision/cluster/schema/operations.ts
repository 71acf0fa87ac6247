import Type from 'typebox'
import * as f from './fields.ts'

export const recovery = Type.Union(
  [
    Type.Literal('none', { description: 'no recovery file' }),
    f.block('who can open it', {
      recipients: f.listOf(
        'public keys of age',
        f.text('a public key', {
          pattern: '^age1[02-9ac-hj-np-z]+$',
          must: 'a public key of age: age1... (ssh-ed25519 and ssh-rsa keys cannot be used)',
        }),
        { min: 1 },
      ),
    }),
  ],
  {
    description:
      "who can open the encrypted file that the first `up` writes, with the cluster's secrets; `none` for no such file. `up` wants one or the other",
  },
)

const user = (says: string) =>
  f.text(says, { pattern: '^[a-zA-Z_][a-zA-Z0-9_.@-]{0,63}$', must: 'the name of a user' })
const identityFile = (says: string) => f.text(says)
const bastion = (says: string) =>
  f.text(says, {
    pattern: '^(none|[^\\s,-][^\\s,]*(,[^\\s,-][^\\s,]*)*)$',
    must: '[user@]host[:port], or several with commas between',
  })

/** The way onto all nodes. What is left out is as ~/.ssh/config says. */
export const ssh = f.block('the way onto the nodes; what is left out is as ~/.ssh/config says', {
  user: user('who logs in: root, or a user who may sudo'),
  port: f.optional(f.port('of sshd on the nodes; without it, what ~/.ssh/config says, else 22')),
  identityFile: f.optional(identityFile('private key on your machine, offered first')),
  bastion: f.optional(bastion('jump host, as in ProxyJump')),
  sudo: f.byDefault(
    'ask',
    f.oneOf(
      '`ask` asks you once for a password where sudo wants one, `passwordless` takes that for an error',
      ['ask', 'passwordless'],
    ),
  ),
  client: f.byDefault(
    'auto',
    f.oneOf("`ssh2` is built in, `openssh` is the system's ssh, `auto` takes it where the options need it", [
      'auto',
      'ssh2',
      'openssh',
    ]),
  ),
})

/** Differences of one node. */
export const nodeSsh = f.block('where the way onto this node differs', {
  host: f.optional(f.address('how you reach it; without it, `address`')),
  user: f.optional(user('in place of ssh.user')),
  port: f.optional(f.port('in place of ssh.port')),
  identityFile: f.optional(identityFile('in place of ssh.identityFile')),
  bastion: f.optional(bastion('in place of ssh.bastion; `none` for a direct way')),
  hostKey: f.optional(
    f.text('fingerprint that its key must have; without it, known_hosts decides', {
      pattern: '^SHA256:[A-Za-z0-9+/]{4,43}=?$',
      must: 'a fingerprint as `ssh-keygen -lf` prints it: SHA256:...',
    }),
  ),
})

export const maintenance = f.block('what may be disturbed, and when', {
  reboot: f.byDefault('ask', f.oneOf('whether a node that wants a reboot gets one', ['ask', 'never'])),
  disrupt: f.byDefault(1, f.whole('nodes that may be out of work at a time', { from: 1, to: 100 })),
  backup: f.optional(
    f.block('a copy elsewhere', {
      to: f.url('bucket and prefix'),
      every: f.byDefault('24h', f.duration('from one backup to the next')),
    }),
  ),
})
