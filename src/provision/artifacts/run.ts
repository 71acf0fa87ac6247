import { spawn } from 'node:child_process'

const RUN_MS = 10 * 60_000

/** A program of this machine. Throws with the end of its standard error. */
export function run(
  program: string,
  args: string[],
  o: { folder: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: o.folder,
      env: o.env,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: RUN_MS,
    })
    let said = ''
    child.stderr.on('data', chunk => (said = (said + chunk).slice(-4000)))
    child.on('error', reject)
    child.on('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(said.trim() || `${program} ended with ${signal ?? code}`)),
    )
  })
}
