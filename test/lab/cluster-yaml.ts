import type { Lab } from './lab.ts'

/** A cluster.yaml for nodes of the lab: `roles` by the node's name, `control` unless said. */
export function clusterYaml(
  lab: Lab,
  o: {
    name?: string
    user?: string
    roles?: Record<string, string>
    nodes?: string[]
    extra?: Record<string, string>
    more?: string
    /** More fields under `ssh:`, such as `, bastion: jump`. */
    ssh?: string
  } = {},
): string {
  const nodes = (o.nodes ?? lab.nodes.map(node => node.name)).map(name => {
    const { address } = lab.node(name)
    return `  - {name: ${name}, address: ${address}, roles: [${o.roles?.[name] ?? 'control'}]${o.extra?.[name] ?? ''}}\n`
  })
  return `name: ${o.name ?? 'lab'}
recovery: none
ssh: {user: ${o.user ?? 'root'}, identityFile: ${lab.key}${o.ssh ?? ''}}
nodes:
${nodes.join('')}${o.more ?? ''}`
}
