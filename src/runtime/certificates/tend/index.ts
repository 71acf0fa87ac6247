import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { TendConfig } from '../../../contracts/certificates.ts'
import { EXIT, Failure, reasonOf } from '../../../errors.ts'
import { readConfig } from '../read-config.ts'
import { type Around, type Outcome, tendOne } from './one.ts'

export type { Outcome } from './one.ts'

/** Looks after all certificates of this node, one after the other. What fails with one does not stop the others. */
export async function tend(o: {
  file: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  say(line: string): void
}): Promise<Outcome[]> {
  const config = readConfig(o.file, TendConfig, o.env)
  const around: Around = { ...o, config, ca: readCa(config) }
  const outcomes: Outcome[] = []
  for (const certificate of config.certificates) {
    o.signal.throwIfAborted()
    outcomes.push(await tendOne(certificate, around))
  }
  return outcomes
}

function readCa({ ca }: TendConfig): { pem: string; certificate: X509Certificate } {
  try {
    const pem = readFileSync(ca, 'utf8')
    return { pem, certificate: new X509Certificate(pem) }
  } catch (thrown) {
    throw new Failure(`The certificate of the cluster's CA cannot be read: ${ca}.`, {
      exit: EXIT.preflight,
      why: reasonOf(thrown),
      next: 'Run `llmagentos cluster up` from an operator’s machine.',
    })
  }
}
