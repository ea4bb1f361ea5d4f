import { memo } from 'react';
import type { SessionView } from '../api/wire';
import { Link } from '../app/Link';
import { ModelTag } from '../app/ModelTag';
import { paths } from '../app/router';
import { dateTime, relativeTime, repositoryName } from '../ui/format';
import { useNow } from '../ui/useNow';
import { activityOf } from './activity';

/** One session in the list: what it is called, what it is about, and whether it wants something. */
export const SessionRow = memo(function SessionRow({ session, open }: { session: SessionView; open: boolean }) {
  const activity = activityOf(session);
  return (
    <li>
      <Link to={paths.session(session.id)} className="session-row" aria-current={open ? 'page' : undefined}>
        <span className={`dot dot-${activity.kind}`} title={activity.label} />
        <span className="session-row-text">
          <span className="session-row-title"><span className="truncate">{session.title || 'Untitled session'}</span><SessionAge at={session.updatedAt} /></span>
          <span className="session-row-about">
            <span className="truncate">{session.repository ? repositoryName(session.repository.url) : 'No repository'}</span>
            <span aria-hidden="true">·</span>
            <ModelTag model={session.model} />
          </span>
        </span>
        <span className="visually-hidden">{activity.label}</span>
      </Link>
    </li>
  );
});

function SessionAge({ at }: { at: string }) {
  return <time dateTime={at} title={dateTime(at)}>{relativeTime(at, useNow('halfMinute'))}</time>;
}
