/** A small PDF with one line of text after another on each page; no text at all on a page of no lines. */
export function pdfFile(pages: string[][], o: { title?: string; encrypted?: boolean } = {}): Buffer {
  const objects: string[] = []
  const add = (body: string) => objects.push(body)
  const kids = pages.map((_, i) => `${4 + i * 2} 0 R`).join(' ')
  add('<< /Type /Catalog /Pages 2 0 R >>')
  add(`<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`)
  add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>')
  for (const lines of pages) {
    const stream = contentOf(lines)
    const at = objects.length + 1
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${at + 1} 0 R >>`,
    )
    add(`<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`)
  }
  const extra: string[] = []
  if (o.title) {
    add(`<< /Title (${o.title}) >>`)
    extra.push(`/Info ${objects.length} 0 R`)
  }
  if (o.encrypted) {
    // Owner and user entries that no empty password opens.
    add(`<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <${'ab'.repeat(32)}> /U <${'cd'.repeat(32)}> >>`)
    extra.push(`/Encrypt ${objects.length} 0 R`, `/ID [<${'01'.repeat(16)}> <${'01'.repeat(16)}>]`)
  }
  return assemble(objects, extra.join(' '))
}

function contentOf(lines: string[]): string {
  const shown = lines.map(l => `(${l.replace(/[\\()]/g, '\\$&')}) Tj 0 -14 Td`)
  return lines.length === 0 ? '0 0 m 10 10 l S' : `BT /F1 12 Tf 72 720 Td ${shown.join(' ')} ET`
}

function assemble(objects: string[], trailer: string): Buffer {
  let text = '%PDF-1.4\n'
  const offsets = objects.map((body, i) => {
    const at = text.length
    text += `${i + 1} 0 obj\n${body}\nendobj\n`
    return at
  })
  const xref = text.length
  const rows = offsets.map(at => `${String(at).padStart(10, '0')} 00000 n \n`).join('')
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`
  text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${xref}\n%%EOF\n`
  return Buffer.from(text, 'latin1')
}
