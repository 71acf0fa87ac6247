#!/usr/bin/env node
// CommonJS: the first ES module costs Node a third of its own start, and these two answers need none.
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const TEXTS = { '--version': 'version.txt', '-V': 'version.txt', '--help': 'help.txt', '-h': 'help.txt' }
const text = process.argv.length === 3 ? TEXTS[process.argv[2]] : undefined

if (text) process.stdout.write(readFileSync(join(__dirname, '..', 'dist', text)))
else import('../dist/main.js').then(({ main }) => main(process))
