import { secrets } from '../secrets/component.ts'
import { base } from './base/index.ts'
import { ceph } from './ceph/index.ts'
import type { Component } from './component.ts'
import { ollama } from './ollama/index.ts'
import { rabbitmq } from './rabbitmq/index.ts'
import { runtime } from './runtime/index.ts'

/** Everything that can stand under `components:`. A new component is one folder and one line. */
export const registry: Component[] = [base, secrets, rabbitmq, ceph, ollama, runtime]
