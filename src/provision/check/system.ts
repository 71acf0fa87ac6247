import type { Finding } from '../components/component.ts'
import { type Os, os } from '../facts/os.ts'
import { type Concern, onEach } from './concern.ts'

const DEBIAN = ['12', '13']
const ARCHITECTURES = ['amd64', 'arm64']

/** Debian 12 or 13 on a processor that we have programs for, with systemd running. */
export const system: Concern = {
  name: 'system',
  facts: () => [os],
  judge: ({ nodes }, facts) =>
    onEach({ nodes, facts, what: 'which system it has' }, os, found => {
      const wrong = [...distribution(found), ...architecture(found), ...systemd(found)]
      const says = `${found.says}, ${found.architecture}, systemd ${found.state}.`
      return wrong.length > 0 ? wrong : [{ level: 'ok', says }]
    }),
}

function distribution({ id, version, says }: Os): Finding[] {
  if (id === 'debian' && DEBIAN.includes(version)) return []
  const found = says || id || 'an unknown system'
  if (id === 'ubuntu')
    return [
      {
        level: 'warn',
        says: `It runs ${found}, which is not tested.`,
        fix: 'Debian 12 and 13 are tested.',
      },
    ]
  return [
    { level: 'bad', says: `It runs ${found}.`, fix: 'Install Debian 12 (bookworm) or 13 (trixie) there.' },
  ]
}

function architecture({ architecture }: Os): Finding[] {
  if (ARCHITECTURES.includes(architecture)) return []
  const says = `Its processor is ${architecture}.`
  return [{ level: 'bad', says, fix: `Nodes are ${ARCHITECTURES.join(' or ')}.` }]
}

function systemd({ init, state, failedUnits }: Os): Finding[] {
  if (init !== 'systemd' || state === 'offline')
    return [{ level: 'bad', says: `Process 1 is ${init}, not systemd.`, fix: 'Boot it with systemd.' }]
  if (state === 'running') return []
  if (state === 'degraded')
    return [
      {
        level: 'warn',
        says: `systemd is degraded: ${failedUnits.join(', ') || 'a unit'} failed.`,
        fix: 'See why: systemctl --failed. What no longer matters: systemctl reset-failed.',
      },
    ]
  if (state === 'starting' || state === 'initializing')
    return [{ level: 'warn', says: 'It is still starting.', fix: 'Wait until it has: systemctl list-jobs.' }]
  return [{ level: 'bad', says: `systemd is ${state}.`, fix: 'Let it boot in full.' }]
}
