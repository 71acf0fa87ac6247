/** English text of common tokenizers runs near 4 characters a token; 3 leaves room for code and other languages. */
const CHARS_PER_TOKEN = 3

export const charsFor = (tokens: number) => Math.max(0, tokens) * CHARS_PER_TOKEN
