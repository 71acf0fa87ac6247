import { loadKind } from '../../kinds/index.ts'
import { serveChild } from './child-main.ts'

/** The program that runs tasks of users, one at a time, in a process of its own. */
serveChild({ loadKind, exit: () => process.exit(0) })
