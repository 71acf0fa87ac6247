import Type from 'typebox'
import { block, oneOf, optional, text } from '../../../cluster/schema/fields.ts'
import { RELEASES } from '../releases.ts'

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----'

const mirror = block('another archive, with suites as those of the Ceph project', {
  mirror: text('its URL, such as https://mirror.example.org/debian-tentacle', {
    pattern: '^(https?://[^\\s/@]+(/[^\\s@]*)?|file:///[^\\s@]*)$',
    must: 'a URL such as https://mirror.example.org/debian-tentacle, without a user',
  }),
  key: optional(
    text("who signs it: a public key of OpenPGP, or a file with it on each node; without it, Ceph's own", {
      pattern: `^(/[^\\s]+|${KEY}\\n[^\\u0000]+\\n-----END PGP PUBLIC KEY BLOCK-----\\n?)$`,
      must: `an absolute path, or the key itself: ${KEY} ...`,
    }),
  ),
})

/** Both are left out for what is installed; else for what the Ceph project makes for the node's suite, or the suite's own. */
export const source = optional(
  Type.Union(
    [
      oneOf(
        "where its packages come from: `upstream` is the Ceph project, `distro` the node's own suite; without it, what is installed, else `upstream` where it has the suite",
        ['upstream', 'distro'],
      ),
      mirror,
    ],
    {
      description:
        "where its packages come from: `upstream` is the Ceph project, `distro` the node's own suite, or another archive; without it, what is installed, else `upstream` where it has the suite",
    },
  ),
)

export const release = optional(
  oneOf(
    'which release; without it, the one that is installed, that the mirror is named after, or the newest that was tried',
    RELEASES.map(({ name }) => name),
  ),
)
