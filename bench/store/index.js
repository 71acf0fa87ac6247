// npm run bench:store: objects through the data service beside straight S3 to the same Ceph gateway. Exit code 1: a target was missed.
import { runOnTheLab } from '../on-the-lab.js'

await runOnTheLab('bench/store/store.ts')
