/** A value of a GGUF header; numbers are u32 unless they are said to be floats. */
export type Value =
  | string
  | number
  | boolean
  | { float: number }
  | { strings: string[] }
  | { floats: number[] }
  | { ints: number[] }

export interface Tensor {
  name: string
  /** Fastest first, as GGUF has them. */
  dims: number[]
  data: Float32Array
}

const ALIGNMENT = 32
const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 }

/** A file in the format GGUF 3 (ggml/docs/gguf.md), tensors as 32 bit floats. */
export function gguf(header: Record<string, Value>, tensors: Tensor[]): Buffer {
  const head = [
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(Object.keys(header).length),
    ...Object.entries(header).flatMap(([key, value]) => [text(key), ...typed(value)]),
  ]
  let offset = 0
  for (const { name, dims, data } of tensors) {
    head.push(text(name), u32(dims.length), ...dims.map(u64), u32(0), u64(offset))
    offset += aligned(data.byteLength)
  }
  return Buffer.concat([padded(Buffer.concat(head)), ...tensors.map(t => padded(bytesOf(t.data)))])
}

function typed(value: Value): Buffer[] {
  if (typeof value === 'string') return [u32(TYPE.string), text(value)]
  if (typeof value === 'boolean') return [u32(TYPE.bool), Buffer.from([value ? 1 : 0])]
  if (typeof value === 'number') return [u32(TYPE.u32), u32(value)]
  if ('float' in value) return [u32(TYPE.f32), bytesOf(Float32Array.of(value.float))]
  if ('strings' in value) return array(TYPE.string, value.strings.length, value.strings.map(text))
  if ('floats' in value)
    return array(TYPE.f32, value.floats.length, [bytesOf(Float32Array.from(value.floats))])
  return array(TYPE.i32, value.ints.length, [bytesOf(Int32Array.from(value.ints))])
}

const array = (type: number, count: number, items: Buffer[]) => [
  u32(TYPE.array),
  u32(type),
  u64(count),
  ...items,
]

const text = (s: string) => Buffer.concat([u64(Buffer.byteLength(s)), Buffer.from(s)])

function u32(n: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(n)
  return bytes
}

function u64(n: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(n))
  return bytes
}

const bytesOf = (a: Float32Array | Int32Array) => Buffer.from(a.buffer, a.byteOffset, a.byteLength)
const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
const padded = (b: Buffer) => Buffer.concat([b, Buffer.alloc(aligned(b.length) - b.length)])
