import type { Command } from '../command.ts'

const SHELLS = ['bash', 'zsh', 'fish']

/** Prints a script made from the registry; the shell then completes without starting us. */
export const completion: Command = {
  name: 'completion',
  summary: 'print the completion script of a shell',
  arguments: [{ name: 'shell', says: 'whose script', choices: SHELLS }],
  example: 'llmagentos completion bash',
  more: `To have it in every new shell:
  bash  llmagentos completion bash > ~/.local/share/bash-completion/completions/llmagentos
  zsh   llmagentos completion zsh > a folder of your $fpath, as the file _llmagentos
  fish  llmagentos completion fish > ~/.config/fish/completions/llmagentos.fish`,
  async run({ args, io }) {
    const { buildProgram } = await import('../program.ts')
    const { grammarOf } = await import('./grammar.ts')
    const { scripts } = await import('./scripts.ts')
    const grammar = grammarOf(buildProgram(io, async () => {}))
    io.print(scripts[args[0]!]!(grammar))
  },
}
