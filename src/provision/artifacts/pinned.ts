/** Processors that we have programs for, in Node's words. */
export const ARCHITECTURES = ['x64', 'arm64'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

/**
 * The Node that our services run on, whatever the operator's machine has: what Debian packages is linked against libraries that a node need
 * not have, so the operator's own is never copied. It comes as an npm package, through npm's own settings (registry, proxy).
 */
export const NODE = {
  version: '24.21.0',
  integrity: {
    x64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
} as const satisfies { version: string; integrity: Record<Architecture, string> }
