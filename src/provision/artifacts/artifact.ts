import type { Entry } from './archive.ts'

/** Something that lies on nodes as one folder. Its name says what it is, so equal names are equal contents. */
export interface Artifact {
  name: string
  /** Its files, once they are wanted; it may fetch them into `folder`, which goes afterwards. */
  entries(o: { cache: string; folder: string; env: NodeJS.ProcessEnv }): Promise<Entry[]> | Entry[]
}
