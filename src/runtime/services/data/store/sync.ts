import { closeSync, fsyncSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** Makes the names in a folder durable: a file that was fsynced is lost with its name otherwise. */
export function syncFolder(folder: string): void {
  syncFile(openSync(folder, 'r'))
}

export async function folderSynced(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Closes the descriptor, too. */
export function syncFile(fd: number): void {
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
