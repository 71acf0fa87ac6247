// npm run bench:slope: how the time of `cluster plan` grows with the nodes, beside `xargs -P` over ssh with the same questions. Exit code
// 1: the target was missed.
import { runOnTheLab } from '../on-the-lab.js'

await runOnTheLab('bench/slope/slope.ts')
