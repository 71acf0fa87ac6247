import type { Published } from '../../artifacts/published.ts'

const WORDS = { x64: 'amd64', arm64: 'arm64' }
/** From here on models run in a program of their own beside it. */
const WITH_SERVER = [0, 30]

/** Releases of Ollama: .tar.zst, and .tgz before. */
export const program: Published = {
  name: 'ollama',
  home: version => `https://github.com/ollama/ollama/releases/download/v${version}`,
  files: arch => [`ollama-linux-${WORDS[arch]}.tar.zst`, `ollama-linux-${WORDS[arch]}.tgz`],
  sums: 'sha256sum.txt',
  holds(version) {
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const server = major > WITH_SERVER[0]! || minor >= WITH_SERVER[1]!
    return server ? ['bin/ollama', 'lib/ollama/llama-server'] : ['bin/ollama']
  },
}
