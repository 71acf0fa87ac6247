import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, onTestFinished } from 'vitest'
import { type CliRun, runCli } from '../helpers/cli.ts'
import { freePort } from '../helpers/cluster.ts'
import { tempFolder } from '../helpers/temp.ts'

/** The command line in a folder and on a port of each test's own; whatever cluster it starts is gone when the test ends. */
export const here = { folder: '', port: '' }

export function eachTestAlone(): void {
  beforeEach(async () => {
    here.folder = tempFolder()
    here.port = String(await freePort())
    onTestFinished(async () => void (await cli('cluster', 'down', '--purge', '--confirm', 'local')))
  })
}

export const cli = (...args: string[]): Promise<CliRun> => cliWith({}, ...args)

export const cliWith = (env: Record<string, string>, ...args: string[]): Promise<CliRun> =>
  runCli(args, { folder: here.folder, env: { OLLAMA_HOST: 'http://127.0.0.1:1', ...env } })

export const up = () => cli('cluster', 'up', '--port', here.port)

export const fileOf = (...path: string[]) => join(here.folder, ...path)

export const pid = (): number =>
  JSON.parse(readFileSync(fileOf('state/llmagentos/local/process.json'), 'utf8')).pid

/** A run without what differs from time to time. */
export function masked(run: CliRun): string {
  const text = `exit ${run.code}\n${run.stdout}${run.stderr && `--- stderr\n${run.stderr}`}`
  return text
    .replaceAll(here.folder, 'FOLDER')
    .replaceAll(`:${here.port}`, ':PORT')
    .replaceAll(`Port ${here.port}`, 'Port PORT')
    .replaceAll(`--port ${Number(here.port) + 1}`, '--port PORT+1')
    .replaceAll(`--port ${here.port}`, '--port PORT')
    .replace(/ in \d+(\.\d+)? s,/, ' in N s,')
    .replace(/up \d+ s,/, 'up N s,')
}
