/** What code may log with. Fields are data; a request's text, a key or a token is never among them. */
export interface Log {
  debug(fields: object, says: string): void
  info(fields: object, says: string): void
  warn(fields: object, says: string): void
  error(fields: object, says: string): void
  child(fields: object): Log
}

export const silent: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
}
