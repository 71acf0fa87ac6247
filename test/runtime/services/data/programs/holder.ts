import { writeSync } from 'node:fs'
import { openEmbedded } from '../../../../../src/runtime/services/data/store/embedded.ts'

// Holds the store until it is killed.
await openEmbedded(process.argv[2]!)
process.stdin.resume()
writeSync(1, 'open\n')
