import { writeSync } from 'node:fs'
import { listening } from './setup.ts'

// Serves until its stdin ends.
const service = await listening(process.argv[2]!)
writeSync(1, 'listening\n')
process.stdin.resume().once('end', () => void service.stop())
