import { type Left, type Step, step } from '../reconcile/step.ts'
import type { OpeningItem } from './item.ts'
import { entryOf, left, type Now, openingName, shell } from './now.ts'

const OPENING_MS = 60_000

// Arguments: add or delete, ufw or firewalld, protocol, port, network. firewalld keeps what runs and what a reload reads apart.
const EDIT = `set -eu
case $1-$2 in
add-ufw) exec ufw allow proto "$3" from "$5" to any port "$4" comment llmagentos ;;
delete-ufw) exec ufw delete allow proto "$3" from "$5" to any port "$4" ;;
esac
zone=$(firewall-cmd --get-default-zone)
rule="rule family=\\"ipv4\\" source address=\\"$5\\" port port=\\"$4\\" protocol=\\"$3\\" accept"
[ "$1" = add ] && verb=add-rich-rule || verb=remove-rich-rule
firewall-cmd --quiet --permanent --zone="$zone" --$verb="$rule"
firewall-cmd --quiet --zone="$zone" --$verb="$rule"`

export function openingSteps(item: OpeningItem, now: Now): Step[] {
  const name = openingName(item)
  const entry = entryOf(now, 'opening', name)
  if (entry && now.kept.openings.has(name)) return []
  const { through, protocol, port, from } = item
  return [
    step({
      node: now.node,
      says: `${entry ? 'put back' : 'open'} ${protocol} ${port} from ${from} in ${through}: ${item.says}`,
      risk: entry ? 'change' : 'add',
      deadlineMs: OPENING_MS,
      act: edit('add', name),
      leaves: entry ? [] : [left(now, 'opening', name)],
    }),
  ]
}

export function goneOpening(gone: Left, { node }: Now): Step {
  return step({
    node,
    says: `close what we opened: ${gone.name}`,
    risk: 'change',
    deadlineMs: OPENING_MS,
    act: edit('delete', gone.name),
    takes: [gone],
  })
}

const edit = (verb: 'add' | 'delete', name: string) => shell(EDIT, verb, ...name.split(' '))
