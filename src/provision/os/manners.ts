import type { FileItem, Item } from './item.ts'

/**
 * Keeps a component's held packages from unattended-upgrades, and its units from needrestart: an update of a library must not restart
 * every broker and every disk's process at once.
 */
export function keptApart(component: string, items: Item[]): FileItem[] {
  const packages = items.flatMap(item => (item.kind === 'package' && item.held ? item.names : []))
  const units = items.flatMap(item =>
    item.kind === 'unit' && item.name.endsWith('.service') ? [item.name] : [],
  )
  const file = { kind: 'file', mode: 0o644, owner: 'root:root' } as const
  return [
    ...(packages.length > 0
      ? [
          {
            ...file,
            path: `/etc/apt/apt.conf.d/52llmagentos-${component}`,
            text: `Unattended-Upgrade::Package-Blacklist {\n${packages.map(name => `  "^${escaped(name)}$";\n`).join('')}};\n`,
            says: 'unattended-upgrades leaves these packages alone',
          },
        ]
      : []),
    ...(units.length > 0
      ? [
          {
            ...file,
            path: `/etc/needrestart/conf.d/llmagentos-${component}.conf`,
            text: units.map(unit => `$nrconf{override_rc}{qr(^${escaped(unit)}$)} = 0;\n`).join(''),
            says: 'needrestart leaves these units alone',
          },
        ]
      : []),
  ]
}

/** In Perl's and Python's expressions alike; @ would name a Perl array. */
const escaped = (name: string) => name.replace(/[.+@$()[\]{}*?^|\\]/g, '\\$&')
