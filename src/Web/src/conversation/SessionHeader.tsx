import { useState } from 'react';
import { api } from '../api/api';
import type { SandboxStatus, SessionView } from '../api/wire';
import { ModelTag } from '../app/ModelTag';
import { useSessionStore } from '../live/useSession';
import { BackLink } from '../pages/BackLink';
import { sessionList } from '../sessions/sessionList';
import { Button, IconButton } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { repositoryName, usageLine } from '../ui/format';
import { Icon } from '../ui/Icon';
import { showProblem } from '../ui/toasts';
import type { Conversation } from './model';
import { TitleEditor } from './TitleEditor';

/** What the session is called, where it works and by which model, and what can be done with it as a whole. */
export function SessionHeader({ conversation, view }: { conversation: Conversation | null; view: SessionView | null }) {
  const [editing, setEditing] = useState(false);
  const [archiving, setArchiving] = useState(false);
  const info = conversation?.info ?? view;
  const archived = conversation ? conversation.info.archived !== null : view?.status === 'archived';
  if (!info) return <header className="session-header"><BackLink /><div className="session-header-text"><h1 className="truncate">&nbsp;</h1></div></header>;
  return (
    <header className="session-header">
      <BackLink />
      <div className="session-header-text">
        {editing
          ? <TitleEditor id={info.id} title={info.title} onDone={() => setEditing(false)} />
          : <h1><span className="truncate">{info.title || 'Untitled session'}</span>{archived && <span className="badge">Archived</span>}</h1>}
        <div className="session-facts">
          <RepositoryFact repository={info.repository} />
          <ModelTag model={info.model} />
          {conversation && !archived && <SandboxFact status={conversation.sandbox.status} />}
          {conversation && <span className="session-usage">{usageLine(conversation.usage)}</span>}
        </div>
      </div>
      {!editing && (
        <div className="session-actions">
          <IconButton icon="edit" label="Rename" onClick={() => setEditing(true)} />
          {!archived && <IconButton icon="archive" label="Archive" onClick={() => setArchiving(true)} />}
        </div>
      )}
      {archiving && <ArchiveDialog onClose={() => setArchiving(false)} busy={conversation?.active !== null || conversation.queue.length > 0} />}
    </header>
  );
}

function RepositoryFact({ repository }: { repository: SessionView['repository'] }) {
  if (!repository) return <span>No repository</span>;
  const name = <><Icon name="repo" size={14} /><span className="truncate">{repositoryName(repository.url)}</span></>;
  return (
    <>
      {/^https?:/.test(repository.url) ? <a className="fact" href={repository.url} target="_blank" rel="noopener noreferrer">{name}</a> : <span className="fact">{name}</span>}
      {repository.branch && <span className="fact fact-branch"><Icon name="branch" size={14} /><span className="truncate">{repository.branch}</span></span>}
    </>
  );
}

const sandboxWords: Readonly<Record<SandboxStatus, string | null>> = {
  none: null,
  requested: 'Sandbox starting',
  booting: 'Sandbox starting',
  connected: 'Sandbox starting',
  ready: 'Sandbox ready',
  silent: 'Sandbox not answering',
  stopping: 'Sandbox stopping',
  stopped: 'Sandbox stopped',
  lost: 'Sandbox lost',
};

function SandboxFact({ status }: { status: SandboxStatus }) {
  const words = sandboxWords[status];
  return words ? <span className="fact dot-fact" title={words}><span className={`dot dot-box-${status}`} aria-hidden="true" /><span className="fact-words">{words}</span></span> : null;
}

function ArchiveDialog({ onClose, busy }: { onClose: () => void; busy: boolean }) {
  const store = useSessionStore();
  const [working, setWorking] = useState(false);
  const archive = async () => {
    setWorking(true);
    try {
      sessionList.put(await api.archiveSession(store.id));
    } catch (error) {
      showProblem(error);
    } finally {
      onClose();
    }
  };
  return (
    <Dialog title="Archive this session?" onClose={onClose}>
      <p>{busy ? 'What runs or waits is cancelled. ' : ''}Its sandbox is stopped and its files there are released. The conversation stays readable; nothing more can be asked in it.</p>
      <div className="dialog-actions">
        <Button onClick={onClose}>Keep it</Button>
        <Button kind="danger" busy={working} onClick={() => void archive()}>Archive</Button>
      </div>
    </Dialog>
  );
}
