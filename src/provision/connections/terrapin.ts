/** What both sides agreed on, per direction, as ssh2 names it. */
export interface Negotiated {
  cs: { cipher: string; mac: string }
  sc: { cipher: string; mac: string }
}

/**
 * What of a handshake can be cut short by somebody in between (CVE-2023-48795, "Terrapin"), undefined when nothing can. Strict key
 * exchange, which both sides must know, closes it; so does a cipher that is not among those two kinds.
 */
export function terrapin({ cs, sc }: Negotiated, strict: boolean): string | undefined {
  if (strict) return undefined
  return [cs, sc].map(({ cipher, mac }) => exposed(cipher, mac)).find(weak => weak !== undefined)
}

/** ssh2 keeps this to itself; where a later version has it elsewhere, we do not know and do not warn. */
export function isStrict(client: object): boolean {
  const { _protocol: protocol } = client as { _protocol?: { _strictMode?: boolean } }
  return protocol === undefined || !('_strictMode' in protocol) || protocol._strictMode === true
}

function exposed(cipher: string, mac: string): string | undefined {
  if (cipher.startsWith('chacha20-poly1305')) return cipher
  return cipher.endsWith('-cbc') && mac.includes('-etm') ? `${cipher} with ${mac}` : undefined
}
