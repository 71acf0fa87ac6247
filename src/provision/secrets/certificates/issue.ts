import { issueProgram } from '../../../contracts/issue.ts'
import { SECRETS } from '../fact.ts'

/** For steps, which root runs on a control node. */
export const ISSUE = issueProgram({ folder: '/run', key: `${SECRETS}/ca-key` })
