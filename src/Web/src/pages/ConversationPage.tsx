import { useCallback, useRef } from 'react';
import type { ApiProblem } from '../api/problem';
import { Link } from '../app/Link';
import { paths } from '../app/router';
import { Announcer } from '../conversation/Announcer';
import type { ComposerHandle } from '../conversation/Composer';
import { Composer } from '../conversation/Composer';
import { ConnectionBanner } from '../conversation/ConnectionBanner';
import type { Conversation } from '../conversation/model';
import { Permissions } from '../conversation/Permissions';
import { QueuePanel } from '../conversation/QueuePanel';
import { SessionHeader } from '../conversation/SessionHeader';
import { Timeline } from '../conversation/Timeline';
import type { LoadState, SessionSnapshot, SessionStore } from '../live/sessionStore';
import { SessionContext, useSession } from '../live/useSession';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Notice } from '../ui/Notice';
import { useStickToBottom } from '../ui/useStickToBottom';
import { useTitle } from '../ui/useTitle';
import { BackLink } from './BackLink';

/** One session: what was said and done in it, live, and everything a person can do about it. */
export function ConversationPage({ id }: { id: string }) {
  const { store, snapshot } = useSession(id);
  const { conversation, load, view } = snapshot;
  useTitle(conversation?.info.title ?? view?.title ?? '');
  const missing = load.kind === 'failed' && load.problem.status === 404;
  return (
    <SessionContext value={store}>
      <div className="conversation">
        <SessionHeader conversation={conversation} view={view} />
        {load.kind === 'loaded' && <ConnectionBanner status={snapshot.connection} onRetry={() => store.hurry()} />}
        {load.kind === 'failed' && <LoadFailure problem={load.problem} onRetry={() => void store.start()} />}
        {!conversation && load.kind === 'loading' && <Loading load={load} />}
        {conversation && !missing && <Live store={store} snapshot={snapshot} conversation={conversation} />}
      </div>
    </SessionContext>
  );
}

function Live({ store, snapshot, conversation }: { store: SessionStore; snapshot: SessionSnapshot; conversation: Conversation }) {
  const composer = useRef<ComposerHandle>(null);
  const { scroller, content, stuck, jump } = useStickToBottom();
  const active = conversation.active === null ? null : (conversation.turns.get(conversation.active) ?? null);
  const send = useCallback((text: string) => {
    store.prompt(text);
    jump();
  }, [store, jump]);
  return (
    <>
      <div className="scroller" ref={scroller} tabIndex={0} role="region" aria-label="Conversation">
        <div className="timeline" ref={content}>
          <Timeline conversation={conversation} outbox={snapshot.outbox} live={snapshot.connection.kind === 'live'} onTakeBack={(text) => composer.current?.take(text)} />
        </div>
      </div>
      <div className="dock">
        {!stuck && <button type="button" className="jump" onClick={jump}><Icon name="down" />Jump to latest</button>}
        <Permissions open={conversation.openPermissions} />
        <QueuePanel conversation={conversation} onSend={send} />
        <Composer ref={composer} sessionId={store.id} active={active} archived={conversation.info.archived !== null} onSend={send} />
      </div>
      <Announcer conversation={conversation} connection={snapshot.connection} />
    </>
  );
}

function Loading({ load }: { load: LoadState & { kind: 'loading' } }) {
  return (
    <div className="timeline timeline-loading" role="status">
      <div className="skeletons"><i /><i /><i /></div>
      <p className="muted">{load.loaded > 1000 && load.of ? `Loading the history, ${Math.round((100 * load.loaded) / load.of)} %` : 'Loading…'}</p>
    </div>
  );
}

function LoadFailure({ problem, onRetry }: { problem: ApiProblem; onRetry: () => void }) {
  if (problem.status === 404) {
    return (
      <div className="page">
        <BackLink />
        <h1>There is no such session</h1>
        <p>It does not exist, or it belongs to an organization you are not in. <Link to={paths.home}>Go to your sessions</Link>.</p>
      </div>
    );
  }
  return <div className="timeline"><Notice tone="danger" alert title="The session could not be loaded" actions={<Button icon="retry" onClick={onRetry}>Try again</Button>}>{problem.detail}</Notice></div>;
}
