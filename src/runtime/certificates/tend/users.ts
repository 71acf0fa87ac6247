import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TendConfig, TendedCertificate } from '../../../contracts/certificates.ts'
import { reasonOf } from '../../../errors.ts'

// systemd's own 90 s for a stop and a start, and more.
const DEADLINE_MS = 300_000

const run = promisify(execFile)

/** A note that is written before the certificate is placed: should this process end between, the next one tells them. */
export function mustBeTold(wanted: TendedCertificate, { config }: { config: TendConfig }): void {
  mkdirSync(config.notes, { recursive: true, mode: 0o700 })
  writeFileSync(noteOf(wanted, config), '')
}

export const toBeTold = (wanted: TendedCertificate, { config }: { config: TendConfig }): boolean =>
  wanted.users.length > 0 && existsSync(noteOf(wanted, config))

/** Reloads or else restarts those of the users that run. Throws for the first that does not take it. */
export async function tellUsers(
  wanted: TendedCertificate,
  { config }: { config: TendConfig },
): Promise<void> {
  for (const unit of wanted.users) {
    try {
      // Does nothing where it does not run.
      await run('systemctl', ['try-reload-or-restart', '--', unit], { timeout: DEADLINE_MS })
    } catch (thrown) {
      throw new Error(`the certificate is new, but ${unit} did not take it: ${reasonOf(thrown)}`)
    }
  }
  rmSync(noteOf(wanted, config), { force: true })
}

const noteOf = ({ name }: TendedCertificate, { notes }: TendConfig) => join(notes, name)
