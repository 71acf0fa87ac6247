import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../helpers/cli.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'

/** In this order, on one cluster: what each prints, whole. */
const SAID: string[][] = [
  ['kb', 'add', 'zoo.md', '--kb', 'zoo'],
  ['kb', 'add', 'zoo.md', '--kb', 'zoo'],
  ['ask', '--kb', 'zoo', 'what do zebras eat?'],
  ['ask', '--kb', 'zoo', '--json', 'what do zebras eat?'],
  ['ask', '--kb', 'zoo', '--session', 'trip', 'when does the zoo open?'],
  ['ask', '--kb', 'zoo', 'zyxwvut'],
  ['kb', 'list'],
  ['kb', 'list', 'zoo'],
  ['kb', 'list', '--json'],
  ['kb', 'search', 'what do zebras eat', '--kb', 'zoo'],
  ['kb', 'search', 'what do zebras eat', '--kb', 'zoo', '--json'],
  ['data', 'put', 'zoo.md', '--name', 'notes/zoo.md'],
  ['data', 'list'],
  ['data', 'list', '--json'],
  ['data', 'get', 'notes/zoo.md'],
  ['data', 'rm', 'notes/zoo.md'],
  ['data', 'list'],
  ['session', 'list'],
  ['session', 'show', 'trip'],
  ['session', 'show', 'trip', '--json'],
  ['session', 'rm', 'trip'],
  ['session', 'list'],
  ['task', 'submit', '--wait', '--kind', 'qa', '--param', 'question=what do zebras eat?'],
  ['task', 'list', '--kind', 'qa'],
  ['task', 'list', '--kind', 'qa', '--json'],
  ['task', 'show', 'TASK'],
  ['task', 'show', 'TASK', '--json'],
  ['task', 'cancel', 'TASK'],
  ['model', 'list'],
  ['model', 'list', '--json'],
  ['key', 'list'],
  ['key', 'list', '--json'],
  ['user', 'create', 'ann'],
  ['user', 'set-role', 'ann', 'viewer'],
  ['user', 'list'],
  ['user', 'list', '--json'],
  ['kb', 'remove', 'zoo', 'zoo.md'],
  ['cluster', 'list'],
  ['cluster', 'status', '--json'],
]

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  writeFileSync(
    join(cluster.folder, 'zoo.md'),
    '# The zoo\n\nZebras eat grass and hay.\n\n## Hours\n\nThe zoo opens at nine.\n',
  )
})
afterAll(() => cluster.stop())

test('what the main commands print, whole', async () => {
  let task = ''
  const said: string[] = []
  for (const words of SAID) {
    const run = await runCli(
      words.map(w => (w === 'TASK' ? task : w)),
      { folder: cluster.folder },
    )
    task = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(run.stdout + run.stderr)?.[0] ?? task
    const err = run.stderr && `--- stderr\n${run.stderr}`
    said.push(`$ llmagentos ${words.join(' ')}\nexit ${run.code}\n${pretty(run.stdout)}${err}`)
  }
  const key = cluster.key.split('_')[1]!
  const text = said
    .join('\n')
    .replaceAll(key, 'KEYID')
    .replaceAll(cluster.url, 'URL')
    .replaceAll(cluster.folder, 'FOLDER')
  await expect(masked(text)).toMatchFileSnapshot('outputs.txt')
}, 60_000)

/** One JSON document per line is what scripts get; people who read the snapshot get it in lines. */
function pretty(stdout: string): string {
  try {
    return `${JSON.stringify(JSON.parse(stdout), null, 2)}\n`
  } catch {
    return stdout
  }
}

/** Without what differs from run to run. */
function masked(text: string): string {
  return (
    text
      .replace(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, 'TASKID')
      .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?/g, 'TIME')
      .replace(/"id": "[0-9a-f]{16,40}"/g, '"id": "REQUEST"')
      .replace(/("(?:[a-z]+Ms|upSeconds)": )[\d.]+/gi, '$1N')
      .replace(/("score": )[\d.]+/g, '$1N')
      .replace(/("sha256": )"[0-9a-f]{64}"/g, '$1"SHA256"')
      .replace(/("(?:promptTokens|completionTokens|chunks|documents|bytes)": )\d+/g, '$1N')
      // Which of its states a task is seen in is a matter of time.
      .replace(/^queued, 0 before it\n|^running\n/gm, '')
      .replace(/^(docs +\S+ +\S+) .*$/gm, '$1 ...')
  )
}
