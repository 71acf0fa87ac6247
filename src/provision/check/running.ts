import type { Concern } from './concern.ts'

/** What components that run already tell of themselves, where a check wants to know of it. */
export const running: Concern = {
  name: 'running',
  probe: true,
  facts: ({ parts }, node) =>
    parts.flatMap(({ component, view }) =>
      view.nodes.includes(node) ? (component.check?.facts(view, node) ?? []) : [],
    ),
  judge: ({ parts, nodes }, facts) =>
    parts.flatMap(
      ({ component, view }) =>
        component.check
          ?.judge(view, facts)
          .filter(({ node }) => node === undefined || nodes.some(({ name }) => name === node)) ?? [],
    ),
  repairs: ({ parts }, facts) =>
    parts.flatMap(({ component, view }) => component.check?.repairs?.(view, facts) ?? []),
}
