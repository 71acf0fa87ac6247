import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { putObject, removeObject } from '../../../../src/contracts/objects.ts'
import { appendTurn } from '../../../../src/contracts/sessions.ts'
import { createRecord, deleteRecord } from '../../../../src/contracts/store.ts'
import { Calls } from '../../../../src/runtime/transport.ts'
import { tempFolder } from '../../../helpers/temp.ts'
import { program } from './program.ts'
import { hopOf } from './service.ts'

const tracing = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
const why = tracing ? '' : ' (skipped: strace is missing or may not trace here)'

test.skipIf(!tracing)(`no 2xx leaves before the fsync of file and directory${why}`, async () => {
  const folder = tempFolder()
  const trace = join(folder, 'trace')
  const server = await traced(trace, [await program('server'), folder])
  const services = { data: [{ socket: join(folder, 's') }] }
  const [task, llm, gateway] = (['task', 'llm', 'gateway'] as const).map(n => new Calls(n, services))
  for (let i = 0; i < 5; i++) {
    const record = { params: { '*': `q/${i}` }, upload: Buffer.alloc(i * 30_000, i) }
    await task!.call(createRecord, hopOf(), record)
    await gateway!.call(putObject, hopOf('ann'), {
      params: { '*': `o/${i}` },
      upload: Buffer.alloc(i * 50_000, i),
    })
    await llm!.call(appendTurn, hopOf('ann'), { params: { id: 's' }, body: turn(i) })
  }
  await task!.call(deleteRecord, hopOf(), { params: { '*': 'q/0' } })
  await gateway!.call(removeObject, hopOf('ann'), { params: { '*': 'o/0' } })
  await Promise.all([task, llm, gateway].map(c => c!.close()))
  const ended = once(server, 'close')
  server.stdin!.end()
  await ended

  const answers = betweenAnswers(completed(readFileSync(trace, 'utf8')))
  expect(answers).toHaveLength(17)
  for (const calls of answers) {
    // What was written, in order: pages, their fdatasync, then the page that makes them real, through a descriptor that syncs itself.
    const record = calls.filter(c => c.startsWith('records/data.mdb ')).map(c => c.split(' ')[1])
    expect(record.slice(-2)).toEqual(['fdatasync', 'synced-write'])
    const part = calls.filter(c => c.startsWith('blobs')).map(c => c.replace(/[0-9a-f]{32}/, 'N'))
    if (!part.some(c => c.includes('link'))) continue
    expect(part.filter(c => !/ write$/.test(c))).toEqual([
      'blobs/.part-N fsync',
      'blobs/.part-N link',
      'blobs fsync',
    ])
    expect(part.findLastIndex(c => / write$/.test(c))).toBeLessThan(part.indexOf('blobs/.part-N fsync'))
  }
  expect(answers.filter(calls => calls.some(c => c.includes('link')))).toHaveLength(5)
})

const turn = (saw: number) => ({
  saw,
  at: new Date().toISOString(),
  question: 'q',
  answer: 'a',
  sources: [],
  engine: 'e',
  model: 'm',
  usage: { promptTokens: 1, completionTokens: 1 },
  window: [],
})

async function traced(trace: string, words: string[]): Promise<ChildProcess> {
  const calls = 'openat,close,fsync,fdatasync,write,writev,pwrite64,pwritev,sendto,sendmsg,link,linkat'
  const child = spawn(
    'strace',
    ['-f', '-y', '-s', '24', '-o', trace, '-e', `trace=${calls}`, process.execPath, ...words],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child
}

/** The calls in the order in which they were done: one that was interrupted by others stands where it was resumed. */
function completed(trace: string): string[] {
  const begun = new Map<string, string>()
  const done: string[] = []
  for (const line of trace.split('\n')) {
    const [, pid, call] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (!pid || !call) continue
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(call)
    if (call.endsWith('<unfinished ...>')) begun.set(pid, call.replace(/ *<unfinished \.\.\.>$/, ''))
    else done.push(resumed ? `${begun.get(pid)}${resumed[1]}` : call)
  }
  return done
}

/** For each 2xx: what happened to files of the store since the one before, as `<file> <what>`. */
function betweenAnswers(calls: string[]): string[][] {
  const answers: string[][] = []
  const syncing = new Set<string>()
  let since: string[] = []
  for (const call of calls) {
    const opened = /^openat\(.*O_DSYNC.*\) = (\d+)</.exec(call)
    if (opened) syncing.add(opened[1]!)
    const closed = /^close\((\d+)/.exec(call)
    if (closed) syncing.delete(closed[1]!)
    const linked = /^link(?:at)?\(.*?"[^"]*\/store\/([^"]+)".* = 0$/.exec(call)
    if (linked) since.push(`${linked[1]} link`)
    const [, name, fd, file] = /^(\w+)\((\d+)<[^>]*\/store\/([^>]+)>/.exec(call) ?? []
    if (name?.endsWith('sync') && / = 0$/.test(call)) since.push(`${file} ${name}`)
    else if (name?.includes('write')) since.push(`${file} ${syncing.has(fd!) ? 'synced-write' : 'write'}`)
    if (/^(write|writev|sendto|sendmsg)\(\d+<(?:socket|UNIX).*"HTTP\/1\.1 2\d\d /.test(call)) {
      answers.push(since)
      since = []
    }
  }
  return answers
}
