import { useEffect, useMemo, useState } from 'react';
import type { Me } from '../api/wire';
import { Brand } from '../app/Brand';
import { Link } from '../app/Link';
import type { Route } from '../app/router';
import { paths } from '../app/router';
import { Button } from '../ui/Button';
import { repositoryName } from '../ui/format';
import { Icon } from '../ui/Icon';
import { Unread } from '../ui/Unread';
import { OrganizationSwitch } from './OrganizationSwitch';
import { SessionRow } from './SessionRow';
import type { SessionListState } from './sessionList';
import { sessionList, useSessionList } from './sessionList';

const refreshMs = 20_000;
const refresh = () => sessionList.refresh();

/** Every session at hand. On narrow screens it is a page of its own. */
export function Sidebar({ route, me }: { route: Route; me: Me }) {
  const list = useSessionList();
  const [query, setQuery] = useState('');
  useFreshList();
  const open = route.name === 'session' ? route.id : null;
  return (
    <nav className="sidebar" aria-label="Sessions">
      <div className="sidebar-top">
        <Link to={paths.home} className="brand-link"><Brand /></Link>
        <Link to={paths.new} className="button button-primary sidebar-new" aria-current={route.name === 'new' ? 'page' : undefined}><Icon name="plus" />New session</Link>
        {list.items.length > 0 && (
          <label className="search">
            <Icon name="search" />
            <span className="visually-hidden">Search sessions by title</span>
            <input type="search" value={query} placeholder="Search" onChange={(event) => setQuery(event.target.value)} />
          </label>
        )}
      </div>
      <SessionRows list={list} query={query} open={open} />
      <div className="sidebar-bottom">
        <OrganizationSwitch me={me} />
        <Link to={paths.settings} className="sidebar-settings" aria-current={route.name === 'settings' ? 'page' : undefined}>
          <Icon name="settings" />
          <span className="sidebar-person"><span className="truncate">{me.organizations.length > 1 ? 'Settings' : me.organization.name}</span><span className="muted truncate">{me.principal.displayName}</span></span>
          <span className="visually-hidden">Settings</span>
        </Link>
      </div>
    </nav>
  );
}

function SessionRows({ list, query, open }: { list: SessionListState; query: string; open: string | null }) {
  const found = useMemo(() => {
    const wanted = query.trim().toLowerCase();
    if (wanted === '') return list.items;
    return list.items.filter((item) => `${item.title} ${item.repository ? repositoryName(item.repository.url) : ''}`.toLowerCase().includes(wanted));
  }, [list.items, query]);
  return (
    <div className="sidebar-list">
      {list.problem && (list.state === 'failed' || list.items.length > 0) && (
        <Unread what="The list" tone="warning" problem={list.problem} again={refresh} />
      )}
      {list.state === 'loading' && <div className="skeletons" role="status" aria-label="Loading sessions"><i /><i /><i /><i /></div>}
      {list.state === 'loaded' && list.items.length === 0 && <p className="sidebar-empty">No sessions yet. Your first one takes a minute: start it above.</p>}
      {list.items.length > 0 && found.length === 0 && <p className="sidebar-empty">No title matches “{query.trim()}”{list.nextCursor ? ' among those loaded' : ''}.</p>}
      <ul>{found.map((session) => <SessionRow key={session.id} session={session} open={session.id === open} />)}</ul>
      {list.nextCursor !== null && <Button kind="quiet" busy={list.loadingMore} onClick={() => void sessionList.loadMore()}>Show older sessions</Button>}
    </div>
  );
}

/** Reads the list when it is first shown, when the person comes back to it, and now and then while they look. */
function useFreshList(): void {
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void refresh();
    };
    look();
    const timer = setInterval(look, refreshMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
}
