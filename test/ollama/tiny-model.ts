import { gguf, type Tensor } from './gguf.ts'

const WIDTH = 64
const HEADS = 4
const LAYERS = 2
const INNER = 128

/** How likely a piece is beside the others: single bytes are never written, quotes and brackets often, so that JSON ends. */
const PIECES: { text: string; type: number; bias: number }[] = [
  { text: '<unk>', type: 2, bias: -30 },
  { text: '<s>', type: 3, bias: -30 },
  { text: '</s>', type: 3, bias: -30 },
  ...Array.from({ length: 256 }, (_, byte) => ({
    text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    type: 6,
    bias: -30,
  })),
  ...[...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,!?()-'].map(text => ({
    text,
    type: 1,
    bias: 0,
  })),
  { text: '▁', type: 1, bias: -1 },
  { text: '.', type: 1, bias: -2 },
  ...[...'"}]:{['].map(text => ({ text, type: 1, bias: 2 })),
]
const END = 2
const POINT = PIECES.findIndex(p => p.text === '.')

/** Of each embedding: one place is the same everywhere and carries the biases, one says "a sentence ended". */
const ALWAYS = 0
const ENDED = 1

/**
 * A whole model of the llama architecture with random weights, about half a megabyte: Ollama loads it, makes text and, with `embeds`, vectors.
 * What it says is noise in letters; after a full stop it mostly ends.
 */
export function tinyModel(o: { embeds: boolean }): Buffer {
  const random = numbers(o.embeds ? 2 : 1)
  const header = {
    'general.architecture': 'llama',
    'general.name': 'tiny',
    'general.file_type': 0,
    'llama.context_length': 4096,
    'llama.embedding_length': WIDTH,
    'llama.block_count': LAYERS,
    'llama.feed_forward_length': INNER,
    'llama.attention.head_count': HEADS,
    'llama.attention.head_count_kv': HEADS,
    'llama.attention.layer_norm_rms_epsilon': { float: 1e-5 },
    'llama.rope.dimension_count': WIDTH / HEADS,
    'llama.vocab_size': PIECES.length,
    ...(o.embeds && { 'llama.pooling_type': 1 }),
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': { strings: PIECES.map(p => p.text) },
    'tokenizer.ggml.scores': { floats: PIECES.map((_, i) => -i) },
    'tokenizer.ggml.token_type': { ints: PIECES.map(p => p.type) },
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': END,
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.ggml.add_space_prefix': false,
  }
  const matrix = (name: string, rows: number, columns: number, spread: number): Tensor => ({
    name: `${name}.weight`,
    dims: [columns, rows],
    data: Float32Array.from({ length: rows * columns }, () => random() * spread),
  })
  const ones = (name: string): Tensor => ({
    name: `${name}.weight`,
    dims: [WIDTH],
    data: new Float32Array(WIDTH).fill(1),
  })
  const layer = (n: number): Tensor[] => [
    ones(`blk.${n}.attn_norm`),
    ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].map(m => matrix(`blk.${n}.${m}`, WIDTH, WIDTH, 0.05)),
    ones(`blk.${n}.ffn_norm`),
    matrix(`blk.${n}.ffn_gate`, INNER, WIDTH, 0.05),
    matrix(`blk.${n}.ffn_up`, INNER, WIDTH, 0.05),
    matrix(`blk.${n}.ffn_down`, WIDTH, INNER, 0.05),
  ]
  return gguf(header, [
    embedding(matrix('token_embd', PIECES.length, WIDTH, 0.3)),
    ...Array.from({ length: LAYERS }, (_, n) => layer(n)).flat(),
    ones('output_norm'),
    output(matrix('output', PIECES.length, WIDTH, 0.3)),
  ])
}

function embedding(t: Tensor): Tensor {
  for (const [n] of PIECES.entries()) {
    t.data[n * WIDTH + ALWAYS] = 4
    t.data[n * WIDTH + ENDED] = n === POINT ? 8 : 0
  }
  return t
}

/** After the norm the place that is always there holds about 7, the one of an ended sentence 0 or about 7. */
function output(t: Tensor): Tensor {
  for (const [n, { bias }] of PIECES.entries()) {
    t.data[n * WIDTH + ALWAYS] = bias / 7
    t.data[n * WIDTH + ENDED] = n === END ? 7 : 0
  }
  return t
}

/** Numbers of a normal distribution, the same ones each time: Marsaglia's xorshift under Box and Muller's transform. */
function numbers(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0
  const uniform = () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return (state + 1) / 4_294_967_297
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}
