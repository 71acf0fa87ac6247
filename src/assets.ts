import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the package lies: the folder with package.json, found from dist/ (bundle) and from src/ (tests) alike. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder)
    if (above === folder) throw new Error('llmagentos: package.json is missing from the installation')
    folder = above
  }
  return folder
}

export function version(): string {
  return JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version
}

/** What operators read; the first knowledge base of every cluster. */
export const docsFolder = () => join(packageRoot(), 'docs', 'guide')

/** Unit and configuration files that provisioning fills in. */
export const templatesFolder = () => join(packageRoot(), 'templates')

/** A program of ours that is started beside the CLI: always the built one, also when tests run from src/. */
export const program = (name: 'main' | 'task-child' | 'parse-worker') =>
  join(packageRoot(), 'dist', `${name}.js`)

/** The command itself, as an argv prefix. */
export const commandLine = () => [process.execPath, join(packageRoot(), 'bin', 'llmagentos.js')]
