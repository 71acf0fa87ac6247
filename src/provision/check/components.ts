import { type Concern, type Site, untold } from './concern.ts'

/** What components that are there already know to be wrong with themselves. */
export const components: Concern = {
  name: 'components',
  probe: true,
  facts: ({ parts }, node) =>
    parts.flatMap(({ component, view }) =>
      component.placed(view.cluster, view.config).includes(node)
        ? (component.check?.facts(view, node) ?? [])
        : [],
    ),
  judge: (site, facts) =>
    there(site).flatMap(({ component: { name, check }, view }) =>
      check
        ? [
            ...view.nodes.flatMap(node => {
              const silent = check
                .facts(view, node)
                .map(fact => facts.peek(node.name, fact))
                .find(one => !one.known)
              return silent?.known === false
                ? [untold(node, { what: `how its ${name} is`, why: silent.why })]
                : []
            }),
            ...check.judge(view, facts),
          ]
        : [],
    ),
  repairs: (site, facts) =>
    there(site).flatMap(({ component, view }) => component.check?.repairs(view, facts) ?? []),
}

/** As if only those took part who answered. */
const there = ({ parts, nodes }: Site) =>
  parts.map(({ component, view }) => ({
    component,
    view: { ...view, nodes: view.nodes.filter(node => nodes.includes(node)) },
  }))
