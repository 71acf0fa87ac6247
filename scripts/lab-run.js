import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const PREFIX = 'lao-run-'

/**
 * One run of the stories. Its processes carry the name of its folder in their environment and keep their temporary files in it, its labs
 * carry its pid: so the end of a run, or the next run, finds what it left, however it ended.
 */
export function begin() {
  for (const folder of earlier()) {
    end(folder)
    console.log(`Removed what an earlier run had left: ${folder}.`)
  }
  const folder = join(tmpdir(), `${PREFIX}${process.pid}-${startOf(process.pid)}`)
  mkdirSync(folder)
  const env = {
    TMPDIR: folder,
    LLMAGENTOS_TEST_RUN: folder,
    LLMAGENTOS_LAB_RUN: String(process.pid),
    CI: 'true',
  }
  return { folder, env }
}

/** Runs a command to its end and returns whether it exited 0; a signal that would end us ends it first. */
export async function attend(argv, env) {
  const child = spawn(argv[0], argv.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  let stopped = false
  const stop = () => {
    stopped = true
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 10_000).unref()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  const code = await new Promise(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (status, signal) => resolve(signal ?? status))
  })
  if (code !== 0) console.log(stopped ? '\nStopped.' : `\nvitest ended with ${code}.`)
  return code === 0 && !stopped
}

/** Ends the processes of a run and removes its files; returns what there was, by name. */
export async function clear(folder) {
  // Those that were told to stop may need a moment.
  for (let tries = 0; tries < 20 && processesOf(folder).length > 0; tries++) await sleep(100)
  return end(folder)
}

/** This user's folders of runs whose process is gone; the processes that are theirs carry the folder's name. */
function earlier() {
  return readdirSync(tmpdir())
    .filter(name => name.startsWith(PREFIX))
    .filter(name => {
      const [pid, started] = name.slice(PREFIX.length).split('-')
      return startOf(pid) !== started
    })
    .map(name => join(tmpdir(), name))
    .filter(folder => statSync(folder).uid === process.getuid())
}

function end(folder) {
  const left = existsSync(folder) ? readdirSync(folder).map(name => `file ${join(folder, name)}`) : []
  for (let found = processesOf(folder); found.length > 0; found = processesOf(folder))
    for (const { pid, words } of found) {
      left.push(`process ${pid}: ${words}`)
      spawnSync('kill', ['-KILL', pid])
    }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  return left
}

function processesOf(folder) {
  return readdirSync('/proc')
    .filter(pid => /^\d+$/.test(pid))
    .filter(pid => textOf(`/proc/${pid}/environ`).split('\0').includes(`LLMAGENTOS_TEST_RUN=${folder}`))
    .map(pid => ({ pid, words: textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 200) }))
}

/** When a process started, in ticks since the boot; undefined when it is gone. */
const startOf = pid =>
  textOf(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')[19]

function textOf(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
