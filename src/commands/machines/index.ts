/** What every command on real nodes uses. Start at `withMachines`. */
export { atTerminal } from './ask.ts'
export { chooseNodes, nodeNamed } from './choose.ts'
export { enrolNew, unknownKeys } from './enrol.ts'
export { clusterFile, readCluster } from './file.ts'
export { fileFlag, hostKeyFlag, type MachineFlags, machineFlags, onFlag } from './flags.ts'
export { type Machines, type Outcome, withConnections, withMachines } from './machines.ts'
export { stateFolder, targetOf } from './target.ts'
