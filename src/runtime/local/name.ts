/** The one-machine cluster has one name on every machine. */
export const LOCAL = 'local'
