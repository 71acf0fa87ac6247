import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ran } from './commands.ts'
import { exclusive } from './exclusive.ts'
import { IMAGES, labs, lives, type Process, processOf } from './files.ts'
import { removeFolder } from './place.ts'
import { certificates, type Flavour, type Recipe, recipe, type Suite } from './recipe.ts'

// Its packages have updates by then, and what it has downloaded is no longer what the mirrors offer.
const MAX_AGE_MS = 14 * 24 * 3600 * 1000

interface Kind {
  suite: Suite
  flavour: Flavour
}

/** The folder where the image of a recipe lies, or will. */
export function imageFolder(kind: Kind): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(recipe(kind)))
    .digest('hex')
    .slice(0, 12)
  return join(IMAGES, `${kind.suite}-${kind.flavour}-${digest}`)
}

/**
 * The folder with the unpacked root file system of a recipe, made (about half a minute) unless it is there. Nobody writes into it.
 * A lab names it in its record first: images that a record names are not removed.
 */
export async function image(kind: Kind): Promise<string> {
  const folder = imageFolder(kind)
  await exclusive(folder, async () => {
    mkdirSync(IMAGES, { recursive: true })
    sweep(folder)
    if (!existsSync(folder)) await make(recipe(kind), folder)
  })
  return folder
}

async function make(wanted: Recipe, folder: string): Promise<void> {
  const own = processOf(process.pid)!
  const building = mkdtempSync(join(IMAGES, `.building-${own.pid}-${own.started}-`))
  try {
    const root = join(building, 'root')
    for (const file of certificates(wanted.aptOptions)) put(root, file, readFileSync(file))
    for (const [file, text] of wanted.before) put(root, file, text)
    await nicely([
      'mmdebstrap',
      '--quiet',
      '--mode=root',
      '--variant=minbase',
      `--include=${wanted.packages.join(',')}`,
      ...wanted.aptOptions.map(option => `--aptopt=${option}`),
      ...(existsSync(root) ? ['--skip=check/empty'] : []),
      ...(wanted.atHand.length > 0 ? downloads(wanted.atHand) : []),
      wanted.suite,
      root,
      ...wanted.sources,
    ])
    await nicely(['chroot', root, 'sh', '-c', wanted.script])
    renameSync(root, folder)
  } finally {
    removeFolder(building)
  }
}

/** Packages that lie in apt's archive, and apt's lists, so that nodes do not fetch them again and again. */
const downloads = (packages: string[]) => [
  '--skip=cleanup/apt',
  '--customize-hook=rm -f "$1"/var/cache/apt/archives/*.deb',
  `--customize-hook=APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq --yes --no-install-recommends --download-only install ${packages.join(' ')}`,
]

/** Images of older recipes and old ones, as far as no lab stands on them, and halves that a killed process left. */
function sweep(wanted: string): void {
  const used = labs().flatMap(lab => [lab.image, lab.next, ...lab.nodes.flatMap(node => node.image ?? [])])
  const kind = (name: string) => name.split('-').slice(0, 2).join('-')
  for (const name of readdirSync(IMAGES)) {
    const folder = join(IMAGES, name)
    const gone = name.startsWith('.building-')
      ? !lives(builder(name))
      : kind(name) === kind(basename(wanted)) && !used.includes(folder) && (folder !== wanted || old(folder))
    if (gone) removeFolder(folder)
  }
}

const old = (folder: string) => Date.now() - statSync(folder).mtimeMs > MAX_AGE_MS

function builder(name: string): Process {
  const [, pid, started] = name.slice(1).split('-')
  return { pid: Number(pid), started: started!, boot: processOf(process.pid)!.boot }
}

function put(root: string, file: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), content)
}

/** With its mounts and processes in namespaces of their own, which end with this process however it ends. */
async function nicely(argv: string[]): Promise<void> {
  const alone = 'setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc'.split(' ')
  const done = await ran(['nice', '-n', '10', ...alone, ...argv], { deadlineMs: 600_000 })
  if (done.code !== 0) throw new Error(`${argv[0]} ended with ${done.code}: ${done.stderr.slice(-4000)}`)
}
