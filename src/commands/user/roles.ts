import type { Role } from '../../contracts/identity.ts'

/** From least to most, as contracts/identity.ts has them; repeated here because help loads no contract. */
export const ROLE_CHOICES: Role[] = ['viewer', 'user', 'operator', 'admin']
