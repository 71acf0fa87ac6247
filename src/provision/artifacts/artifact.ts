import type { Entry } from './archive.ts'
import type { Locked } from './published.ts'

/** Where programs come from. */
export interface Sources {
  env: NodeJS.ProcessEnv
  /** Of artifacts.mirror: the files lie there under their own names. */
  mirror?: string
  /** Of site.proxy. */
  proxy?: { url: string; except: string[] }
  /** Digests that are known already, beside the file of the cluster. */
  locked?: Locked
}

export interface Making extends Sources {
  /** What is fetched is kept there. */
  cache: string
  /** For what goes afterwards. */
  folder: string
}

/** Something that lies on nodes as one folder. Its name says what it is, so equal names are equal contents. */
export interface Artifact {
  name: string
  /** Its files, once they are wanted; it may fetch them into `folder`, which goes afterwards. */
  entries(o: Making): Promise<Entry[]> | Entry[]
}
