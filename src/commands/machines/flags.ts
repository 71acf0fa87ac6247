import type { Option } from '../command.ts'
import { each } from '../values.ts'

/** What every command on real nodes takes. */
export interface MachineFlags {
  file?: string
  on?: string[]
  acceptNewHostKeys?: boolean
}

export const fileFlag: Option = {
  flag: '-f, --file <file>',
  says: 'the cluster.yaml; the one in this folder unless given',
}

export const onFlag: Option = {
  flag: '--on <nodes>',
  says: 'only these: a name, a role, or a label as key=value; several with commas',
  parse: each,
}

export const hostKeyFlag: Option = {
  flag: '--accept-new-host-keys',
  says: 'trust nodes of which no host key is known; a changed key is refused all the same',
}

export const machineFlags: Option[] = [fileFlag, onFlag, hostKeyFlag]
