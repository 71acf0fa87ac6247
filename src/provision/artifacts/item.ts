/** An artifact under /opt/llmagentos: a link to a folder, put there whole and at once. What it was before stays beside, for what still runs from it. */
export interface ReleaseItem {
  kind: 'release'
  path: string
  /** Its name says what it is: another name is another version. */
  artifact: string
  says: string
}
