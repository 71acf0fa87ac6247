import type { Component } from '../../components/component.ts'
import type { Cluster } from '../cluster.ts'
import type { Problem } from '../problems.ts'
import { duplicateAddresses, duplicateSshWays } from './addresses.ts'
import { duplicateModels, duplicateNames, reservedNames } from './names.ts'
import {
  familyRefused,
  outsideNetwork,
  overlappingNetworks,
  storageNetwork,
  unusableAddresses,
  vip,
} from './networks.ts'
import { overlappingPorts, portsOf } from './ports.ts'
import { controlCount, controlMajority, disksNeedStorage } from './roles.ts'
import { replicasFit, scaleFits, selectorsChoose } from './selectors.ts'

/** What cannot work, found without a connection. Each is pure: the cluster in, problems with their paths out. */
export const checks: ((cluster: Cluster, components: Component[]) => Problem[])[] = [
  reservedNames,
  duplicateNames,
  duplicateModels,
  duplicateAddresses,
  duplicateSshWays,
  controlCount,
  controlMajority,
  disksNeedStorage,
  familyRefused,
  unusableAddresses,
  outsideNetwork,
  overlappingNetworks,
  storageNetwork,
  vip,
  cluster => overlappingPorts(portsOf(cluster)),
  selectorsChoose,
  replicasFit,
  scaleFits,
]
