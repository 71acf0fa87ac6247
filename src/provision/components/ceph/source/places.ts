/** Of whoever signs: of the Ceph project, or the one of the file. */
export const KEY_FILE = '/etc/apt/keyrings/llmagentos-ceph.asc'
export const PREFERENCES = '/etc/apt/preferences.d/llmagentos-ceph'
export const SOURCES_FILE = 'llmagentos-ceph.sources'
