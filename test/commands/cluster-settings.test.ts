import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { cli, cliWith, eachTestAlone, fileOf, here, masked, pid, up } from './one-machine.ts'

eachTestAlone()

test('settings are applied by the next cluster up, and a mistake in them names its place and changes nothing', async () => {
  await up()
  const file = fileOf('config/llmagentos/local.json')
  writeFileSync(file, JSON.stringify({ filters: [{ name: 'yaml', pattern: 'cluster\\.yaml', act: 'hide' }] }))
  expect(masked(await up())).toMatchInlineSnapshot(`
    "exit 2
    --- stderr
    error: The settings in FOLDER/config/llmagentos/local.json are not valid.
      why:  filters/0/act: must be equal to one of the allowed values: block, mask
      next: docs/guide/settings.md lists them.
    "
  `)
  expect((await cli('cluster', 'status')).code).toBe(0)
  writeFileSync(file, JSON.stringify({ filters: [{ name: 'yaml', pattern: 'cluster\\.yaml', act: 'mask' }] }))
  expect((await up()).stderr).toContain('Restarting the services')
  const { stdout } = await cli('ask', 'how do I add a node?')
  expect(stdout).toContain('[removed]')
  expect(stdout).not.toContain('cluster.yaml')
})

test('at log level debug one request id leads through all services', async () => {
  mkdirSync(fileOf('config/llmagentos'), { recursive: true })
  writeFileSync(fileOf('config/llmagentos/local.json'), '{"logLevel": "debug"}')
  await up()
  const { id } = JSON.parse(
    (await cli('ask', '--json', '--session', 'traced', 'how do I add a node?')).stdout,
  )
  // A line is written once its answer is out, which may be after the client has it.
  await vi.waitFor(() =>
    expect(linesOf(id)).toEqual([
      'data GET /internal/sessions/:id/window 200',
      'data POST /internal/kb/search 200',
      'data POST /internal/sessions/:id/turns 201',
      'gateway POST /api/v1/ask 200',
      'llm POST /api/v1/ask 200',
      'worker POST /internal/worker/generate 200',
    ]),
  )
})

test('the services get nothing of the environment that they do not need', async () => {
  await cliWith({ AWS_SECRET_ACCESS_KEY: 'canary-in-env' }, 'cluster', 'up', '--port', here.port)
  expect(readFileSync(`/proc/${pid()}/environ`, 'utf8')).not.toContain('canary-in-env')
})

/** What each service logged about one request, sorted. */
function linesOf(requestId: string): string[] {
  return readFileSync(fileOf('state/llmagentos/local/log/services.log'), 'utf8')
    .split('\n')
    .filter(line => line.includes(requestId))
    .map(line => JSON.parse(line))
    .map(line => `${line.service} ${line.method} ${line.route} ${line.status}`)
    .toSorted()
}
