// npm run bench:gateway: our whole interactive path beside another gateway, in front of the same fixed answer. Exit code 1: a target was missed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { addedBetween, sequential } from './added.js'
import { target } from './client.js'
import { percentile, rounded, table } from './figures.js'
import { llmHeaders } from './llm.js'
import { startCluster, startPortkey, startStandIn, stopAll } from './processes.js'
import { streams } from './streams.js'

const STREAMS = 128
const TOKENS = 64
const OUT = 'bench/results/gateway.json'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '300' },
    json: { type: 'string', default: OUT },
  },
})
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => stopAll().then(() => process.exit(130)))

try {
  const result = await measured()
  print(result)
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
  if (result.targets.some(t => !t.met)) process.exitCode = 1
} finally {
  await stopAll()
}

async function measured() {
  const standIn = await startStandIn()
  const cluster = await startCluster({ ollama: standIn.url, slots: STREAMS })
  const portkey = await startPortkey()
  const { targets, close } = await targetsOf({ standIn, cluster, portkey })
  const [direct, ours] = targets
  const byRound = await sequential(targets, {
    rounds: Number(values.rounds),
    perRound: Number(values.requests),
    warmUp: 1000,
    isRight: text => text.includes('today'),
  })
  const many = { count: STREAMS, tokens: TOKENS, model: 'stream' }
  // Once unmeasured each: connections are opened and code is compiled.
  for (const to of [direct, ours]) await streams(to, many)
  const streaming = { direct: await streams(direct, many), ours: await streams(ours, many) }
  close()
  const added = (of, over, share) => addedBetween(byRound, { of, over, share })
  const figures = {
    times: Object.fromEntries(targets.map(t => [t.name, timesOf(byRound, t.name)])),
    addedMs: Object.fromEntries(
      ['ours', 'portkey'].map(n => [n, { p50: added(n, 'direct', 0.5), p99: added(n, 'direct', 0.99) }]),
    ),
    ownHopMs: { p50: added('ours', 'llm', 0.5), p99: added('ours', 'llm', 0.99) },
    streaming,
    peakRssMiB: peakRss(cluster.pid),
  }
  return {
    date: new Date().toISOString(),
    node: process.version,
    machine: `${cpus().length} x ${cpus()[0].model}`,
    portkey: portkey.version,
    rounds: Number(values.rounds),
    requestsPerRound: Number(values.requests),
    ...figures,
    targets: targetsMet(figures),
  }
}

async function targetsOf({ standIn, cluster, portkey }) {
  const messages = [{ role: 'user', content: 'Hello!' }]
  const body = { model: 'fixed', messages }
  const path = '/v1/chat/completions'
  const llm = llmHeaders({ key: cluster.key, authSocket: cluster.socket('auth') })
  await llm.ready()
  const targets = [
    target('direct', { url: standIn.url, path, body }),
    target('ours', { url: cluster.url, path, body, headers: { authorization: `Bearer ${cluster.key}` } }),
    target('llm', {
      socketPath: cluster.socket('llm'),
      path: '/api/v1/ask',
      body: { ...body, stream: true },
      headers: llm.headers,
    }),
    target('portkey', {
      url: portkey.url,
      path,
      body,
      headers: {
        authorization: 'Bearer none',
        'x-portkey-provider': 'openai',
        'x-portkey-custom-host': `${standIn.url}/v1`,
      },
    }),
  ]
  const close = () => {
    llm.stop()
    for (const t of targets) t.close()
  }
  return { targets, close }
}

function targetsMet({ addedMs, ownHopMs, streaming }) {
  const half = addedMs.portkey.p50 / 2
  const quarter = addedMs.portkey.p50 / 4
  return [
    { says: "added p50 at most half of Portkey's", limit: half, got: addedMs.ours.p50 },
    { says: "the gateway's own hop at most a quarter of Portkey's", limit: quarter, got: ownHopMs.p50 },
    {
      says: `tokens lost, doubled or out of order in ${STREAMS} streams`,
      limit: 0,
      got: streaming.ours.wrong.length + Math.abs(STREAMS * TOKENS - streaming.ours.tokens),
    },
  ].map(t => ({ ...t, met: t.got <= t.limit }))
}

function timesOf(byRound, name) {
  const all = byRound.flatMap(times => times[name])
  return { p50: percentile(all, 0.5), p99: percentile(all, 0.99) }
}

/** The most memory that the cluster's one process ever held, as the kernel counts it. */
function peakRss(pid) {
  const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(kib) / 1024)
}

function print(r) {
  const ms = n => rounded(n).toFixed(2)
  const row = (says, { p50, p99 }) => [says, ms(p50), ms(p99)]
  console.log(`${r.date}  node ${r.node}  ${r.machine}  @portkey-ai/gateway ${r.portkey}`)
  console.log(`\nOne request at a time, ${r.rounds} rounds of ${r.requestsPerRound}, milliseconds:`)
  console.log(
    table(
      ['', 'p50', 'p99'],
      [
        row('direct', r.times.direct),
        row('through ours', r.times.ours),
        row('llm without our gateway', r.times.llm),
        row('through Portkey', r.times.portkey),
        row('added by ours', r.addedMs.ours),
        row("our gateway's own hop", r.ownHopMs),
        row('added by Portkey', r.addedMs.portkey),
      ],
    ),
  )
  console.log(`\n${STREAMS} streams at once, ${TOKENS} tokens each, one each 20 ms:`)
  console.log(
    table(
      ['', 'tokens', 'wrong', 'first p50', 'first p99', 'gap p50', 'gap p99'],
      Object.entries(r.streaming).map(([name, s]) => [
        name,
        s.tokens,
        s.wrong.length,
        ms(s.firstTokenMs.p50),
        ms(s.firstTokenMs.p99),
        ms(s.gapMs.p50),
        ms(s.gapMs.p99),
      ]),
    ),
  )
  for (const w of r.streaming.ours.wrong.slice(0, 5)) console.log(`  ${w}`)
  console.log(`\nPeak memory of the cluster: ${r.peakRssMiB} MiB\n`)
  for (const t of r.targets)
    console.log(`${t.met ? 'met   ' : 'MISSED'}  ${t.says}: ${ms(t.got)}, limit ${ms(t.limit)}`)
}
