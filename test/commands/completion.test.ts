import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Place } from '../../src/commands/completion/grammar.ts'
import { scripts } from '../../src/commands/completion/scripts.ts'
import { runCli } from '../helpers/cli.ts'
import { tempFolder } from '../helpers/temp.ts'

/** Each answers what the shell itself offers for the line, the cursor at its end. */
const SHELLS: Record<string, (script: string, line: string) => string[]> = {
  bash: inBash,
  zsh: inZsh,
  fish: inFish,
}

for (const [shell, offers] of Object.entries(SHELLS)) {
  describe(`completion in ${shell}`, () => {
    test('a beginning becomes the command', async ctx => {
      ctx.skip(!installed(shell), `${shell} is not installed`)
      expect(offers(await scriptOf(shell), 'llmagentos clu')).toEqual(['cluster'])
    })

    test('verbs follow their noun', async ctx => {
      ctx.skip(!installed(shell), `${shell} is not installed`)
      expect(offers(await scriptOf(shell), 'llmagentos cluster d')).toEqual(['down'])
    })

    test('a flag becomes whole', async ctx => {
      ctx.skip(!installed(shell), `${shell} is not installed`)
      expect(offers(await scriptOf(shell), 'llmagentos completion --js')).toEqual(['--json'])
    })

    test('the choices of a flag follow it', async ctx => {
      ctx.skip(!installed(shell), `${shell} is not installed`)
      expect(offers(await scriptOf(shell), 'llmagentos completion --output j')).toEqual(['json'])
    })

    test('the choices of an argument are offered', async ctx => {
      ctx.skip(!installed(shell), `${shell} is not installed`)
      expect(offers(await scriptOf(shell), 'llmagentos completion zs')).toEqual(['zsh'])
    })

    test('quotes, colons and backslashes in a summary do no harm', ctx => {
      ctx.skip(!installed(shell), `${shell} is not installed`)
      const says = 'a user\'s "own": $HOME `ls` \\ 100%'
      const places: Place[] = [
        { path: '', words: [{ name: 'odd', says }], flags: [] },
        {
          path: 'odd',
          words: [],
          flags: [{ long: '--way', says, takesValue: true, choices: ['up', 'down'] }],
        },
      ]
      const script = scripts[shell]!(places)
      expect(offers(script, 'llmagentos o')).toEqual(['odd'])
      expect(offers(script, 'llmagentos odd --way u')).toEqual(['up'])
    })
  })
}

test('bash, which splits --flag=value at the sign, still offers the choices', async ctx => {
  ctx.skip(!installed('bash'), 'bash is not installed')
  expect(inBash(await scriptOf('bash'), 'llmagentos completion --output=j')).toEqual(['json'])
})

test('an unknown shell is refused with the ones there are', async () => {
  const run = await runCli(['completion', 'tcsh'])
  expect(run.code).toBe(2)
  expect(run.stderr).toContain('bash, zsh, fish')
})

async function scriptOf(shell: string): Promise<string> {
  const run = await runCli(['completion', shell])
  expect(run).toMatchObject({ code: 0, stderr: '' })
  return run.stdout
}

/** Does what bash does at TAB: splits the line at its word breaks, calls the registered function, reads COMPREPLY. */
function inBash(script: string, line: string): string[] {
  const words = line.split(/(=)|\s+/).filter(Boolean)
  const ask = `
source "$1"; shift
[[ $(complete -p llmagentos) == 'complete -o default -F _llmagentos llmagentos' ]] || exit 9
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_llmagentos
printf '%s\\n' "\${COMPREPLY[@]}"`
  return lines(
    execFileSync('bash', ['--norc', '-c', ask, 'bash', saved(script), ...words], { encoding: 'utf8' }),
  )
}

/** A real interactive zsh on a pseudo terminal: TAB and Enter are pressed, and a command of our name says what it was given. */
function inZsh(script: string, line: string): string[] {
  const ask = `
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "autoload -U compinit; compinit -u -D; source $1; llmagentos() { print -r -- given: \\$argv[-1] :end }; print begin:\\\${:-now}"
zpty -r shell text '*begin:now*'
zpty -w shell "$2"$'\\t'
zpty -r shell text '*given:*:end*'
print -r -- "$text"
zpty -d shell`
  const out = execFileSync('zsh', ['-f', '-c', ask, 'zsh', saved(script), line], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  const given = /^given: (.*) :end/m.exec(out)
  return [given ? given[1]! : out]
}

function inFish(script: string, line: string): string[] {
  const ask = 'source $argv[1]; complete -C $argv[2]'
  const out = execFileSync('fish', ['--no-config', '-c', ask, saved(script), line], {
    encoding: 'utf8',
    env: { ...process.env, HOME: tempFolder() },
  })
  return lines(out).map(l => l.split('\t')[0]!)
}

function saved(script: string): string {
  const file = join(tempFolder(), 'script')
  writeFileSync(file, `${script}\n`)
  return file
}

// Without a home: fish makes folders in it even when it only tells its version.
const installed = (shell: string) =>
  spawnSync(shell, ['--version'], { env: { PATH: process.env['PATH'], HOME: '/dev/null' } }).status === 0
const lines = (text: string) => text.split('\n').filter(Boolean)
