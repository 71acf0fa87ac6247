/** Who has the cluster's lock. */
export interface Holder {
  /** `user@host` */
  who: string
  doing: string
  /** When it was taken, ISO 8601, by the clock of a control node. */
  since: string
}

/** How the lock and the journal write who or what: on one line, and not for long. */
export const asHolder = (text: string) => text.replace(/\s+/g, ' ').trim().slice(0, 200)

/** `ada@laptop has held the lock since 2026-01-01T10:00:00Z: cluster up` */
export const lockedBy = ({ who, since, doing }: Holder) => `${who} has held the lock since ${since}: ${doing}`
