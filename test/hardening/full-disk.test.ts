import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/assets.ts'
import { homeIn } from '../helpers/cli.ts'
import { freePort } from '../helpers/cluster.ts'
import { tempFolder } from '../helpers/temp.ts'

/** Runs a script where `folder` is a small disk of its own, in a mount namespace that goes with it. */
const onSmallDisk = (o: { folder: string; size: string; script: string; env?: Record<string, string> }) =>
  spawnSync(
    'unshare',
    [
      '--user',
      '--map-root-user',
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs -o size=${o.size} none "$0" && ${o.script}`,
      o.folder,
    ],
    { encoding: 'utf8', timeout: 120_000, env: o.env },
  )

const able = onSmallDisk({ folder: '/mnt', size: '1m', script: 'true' }).status === 0
const why = able ? '' : ' (skipped: no user namespaces here to mount a small disk in)'

/**
 * Records that went leave pages within the store's file, which new ones fill: submits, with long texts, go on until there are none.
 * Each line says what was tried and with which code it ended; at the end what was stored before the disk was full is read again.
 */
const SCRIPT = `{
  cd "$0"
  mkdir tmp
  lao() { node "$BIN" "$@" >tmp/out 2>tmp/err; code=$?; }
  said() { echo "exit $code: $1"; }
  lao cluster up --port "$PORT"; said "cluster up"
  head -c 300000 /dev/urandom >one; lao data put one; said "put"
  head -c 3000000 /dev/urandom >two
  lao ask --session kept "how do I add a node?"; said "ask"
  cat /dev/zero >filler 2>/dev/null
  node "$BIN" data put two 2>&1; code=$?; said "put on a full disk"
  ids=; code=0; n=0; long=$(head -c 90000 /dev/zero | tr '\\0' x)
  while [ $code = 0 ] && [ $n -lt 50 ]; do n=$((n + 1)); id=$(node "$BIN" task submit --kind qa --param question="how do I add a node? $long" 2>/dev/null); code=$?; ids="$ids $id"; done; said "submit on a full disk"
  node "$BIN" ask "how do I add a node?" >/dev/null 2>&1; code=$?; said "ask on a full disk"
  node "$BIN" data get one 2>&1 | cmp - one; code=$?; said "get on a full disk"
  node "$BIN" cluster status >/dev/null 2>&1; code=$?; said "status on a full disk"
  node "$BIN" data list >filler2; code=$?; rm -f filler2; said "output to a full disk"
  rm filler
  lao data put two; said "put with room again"
  node "$BIN" data get one | cmp - one; code=$?; said "what was there before"
  node "$BIN" data get two | cmp - two; code=$?; said "what came after"
  lao session show kept; said "the session"
  for id in $ids; do lao task watch "$id"; [ $code = 0 ] || said "task $id"; done; echo "every task that was accepted is done"
  lao data list; cut -c1-20 tmp/out
  lao cluster status; said "status"
  lao cluster down --purge --confirm local; said "down"
}`

test.skipIf(!able)(
  `a full disk under a whole cluster is said, and loses nothing${why}`,
  async () => {
    const folder = tempFolder()
    const end = onSmallDisk({
      folder,
      size: '64m',
      script: SCRIPT,
      env: {
        PATH: `${join(process.execPath, '..')}:/usr/bin:/bin`,
        ...homeIn(folder),
        OLLAMA_HOST: 'http://127.0.0.1:1',
        BIN: join(packageRoot(), 'bin/llmagentos.js'),
        PORT: String(await freePort()),
      },
    })
    expect(end.stdout, end.stderr).toMatchInlineSnapshot(`
      "exit 0: cluster up
      exit 0: put
      exit 0: ask
      error: The disk is full; nothing was stored.
        next: Free some room on the machine, then try again.
      exit 6: put on a full disk
      exit 6: submit on a full disk
      exit 0: ask on a full disk
      exit 0: get on a full disk
      exit 0: status on a full disk
      exit 1: output to a full disk
      exit 0: put with room again
      exit 0: what was there before
      exit 0: what came after
      exit 0: the session
      every task that was accepted is done
      NAME  VERSION  BYTES
      one   1        30000
      two   1        30000
      exit 0: status
      exit 0: down
      "
    `)
  },
  120_000,
)
