import { writeSync } from 'node:fs'
import { listening } from './setup.ts'

// Serves until its stdin ends; the second argument is what its config has of its own.
const service = await listening(process.argv[2]!, JSON.parse(process.argv[3] ?? '{}'))
writeSync(1, 'listening\n')
process.stdin.resume().once('end', () => void service.stop())
