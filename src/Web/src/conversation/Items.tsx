import { memo } from 'react';
import { Markdown } from '../markdown/Markdown';
import { BootCard } from './BootCard';
import { EnvironmentCard } from './EnvironmentCard';
import type { Item, ItemList, NoticeItem } from './model';
import { AnsweredPermission } from './AnsweredPermission';
import { PlanCard } from './PlanCard';
import { Reasoning } from './Reasoning';
import { ToolCard } from './ToolCard';
import { Icon } from '../ui/Icon';

/** What the agent said and did, in order. `going` while more may come after the last of them. */
export const Items = memo(function Items({ list, going }: { list: ItemList; going: boolean }) {
  const last = list.items.length - 1;
  return <>{list.items.map((item, index) => <ItemView key={item.key} item={item} latest={going && index === last} />)}</>;
});

const ItemView = memo(function ItemView({ item, latest }: { item: Item; latest: boolean }) {
  switch (item.kind) {
    case 'text':
      return item.text.trim() === '' ? null : <Markdown text={item.text} />;
    case 'reasoning':
      return item.text.trim() === '' ? null : <Reasoning text={item.text} going={latest} />;
    case 'tool':
      return <ToolCard tool={item} />;
    case 'plan':
      return <PlanCard entries={item.entries} />;
    case 'permission':
      return item.answer && <AnsweredPermission item={item} answer={item.answer} />;
    case 'boot':
      return <BootCard boot={item} />;
    case 'environment':
      return <EnvironmentCard item={item} />;
    case 'notice':
      return <NoticeLine notice={item} />;
  }
});

function NoticeLine({ notice }: { notice: NoticeItem }) {
  return (
    <div className={`line line-${notice.tone}`}>
      <Icon name={notice.tone === 'warning' ? 'warning' : 'box'} />
      <span>{notice.text}{notice.detail && <span className="muted"> {notice.detail}</span>}</span>
    </div>
  );
}
