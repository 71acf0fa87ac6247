import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Watches what a run leaves on the machine. Whatever runs with `env` has its temporary files and its home in `folder`, and carries
 * a mark by which its processes are found. `left()` names what is still there, and what changed in the checkout.
 */
export function watch(folder) {
  const mark = `LLMAGENTOS_TEST_RUN=${folder}`
  const temp = join(folder, 't')
  const home = join(folder, 'h')
  mkdirSync(temp)
  mkdirSync(home)
  const before = checkout()
  return {
    env: {
      TMPDIR: temp,
      HOME: home,
      LLMAGENTOS_TEST_RUN: folder,
      ...Object.fromEntries(XDG.map(name => [name, undefined])),
    },
    note: before === undefined ? 'The checkout was not compared: git does not answer here.' : undefined,
    async left() {
      const files = [...filesIn(temp), ...filesIn(home)].map(file => `file ${file}`)
      const changes = before === undefined ? [] : checkout().filter(line => !before.includes(line))
      return [...(await processes(mark)), ...files, ...changes.map(line => `in the checkout: ${line}`)]
    },
  }
}

const XDG = ['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR']

const filesIn = folder => readdirSync(folder).map(name => join(folder, name))

function checkout() {
  const { status, stdout } = spawnSync('git', ['status', '--porcelain'], { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n').filter(Boolean) : undefined
}

/** A process that was told to stop may need a moment. */
async function processes(mark) {
  for (let tries = 0; ; tries++) {
    const found = readdirSync('/proc')
      .filter(pid => /^\d+$/.test(pid))
      .filter(pid => contents(pid, 'environ').split('\0').includes(mark))
      .map(pid => `process ${pid}: ${contents(pid, 'cmdline').replaceAll('\0', ' ').trim()}`)
    if (found.length === 0 || tries === 30) return found
    await sleep(100)
  }
}

/** Processes of others, and those that ended meanwhile, have nothing to read. */
function contents(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
