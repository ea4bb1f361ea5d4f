import { Markdown } from '../markdown/Markdown';
import { Icon } from '../ui/Icon';

/** What the agent thought; folded, because most people want what it says. */
export function Reasoning({ text, going }: { text: string; going: boolean }) {
  return (
    <details className="reasoning">
      <summary>
        <Icon name="thought" />
        <span>{going ? 'Thinking…' : 'Thought'}</span>
        <span className="reasoning-glimpse truncate">{glimpse(text)}</span>
        <Icon name="chevron" size={14} />
      </summary>
      <Markdown text={text} />
    </details>
  );
}

function glimpse(text: string): string {
  return text.slice(0, 200).replace(/[*_`#>]+/g, '').replace(/\s+/g, ' ').trim();
}
