import type { KeyboardEvent, Ref } from 'react';
import { useEffect, useId, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react';
import { api } from '../api/api';
import { Link } from '../app/Link';
import { paths } from '../app/router';
import { drafts } from '../live/drafts';
import { Button } from '../ui/Button';
import { bytes } from '../ui/format';
import { IconButton } from '../ui/Button';
import { showProblem } from '../ui/toasts';
import type { Turn } from './model';
import { promptBytes, promptLimit } from './promptLimit';

export interface ComposerHandle {
  /** Puts a text back to be written on, before what is there. */
  take(text: string): void;
}

interface ComposerProps {
  readonly ref: Ref<ComposerHandle>;
  readonly sessionId: string;
  readonly active: Turn | null;
  readonly archived: boolean;
  readonly onSend: (text: string) => void;
}

/** Where a person writes. What they have written survives leaving the page. */
export function Composer({ ref, sessionId, active, archived, onSend }: ComposerProps) {
  const [text, setText] = useState(() => drafts.read(sessionId));
  const area = useRef<HTMLTextAreaElement>(null);
  const hintId = useId();
  const size = promptBytes(text);
  const tooLong = size > promptLimit;

  const write = (next: string) => {
    setText(next);
    drafts.write(sessionId, next);
  };

  useImperativeHandle(ref, () => ({
    take: (taken) => {
      write(text.trim() === '' ? taken : `${taken}\n\n${text}`);
      area.current?.focus();
    },
  }));

  useLayoutEffect(() => fitHeight(area.current), [text]);

  const send = () => {
    if (text.trim() === '' || tooLong || archived) return;
    onSend(text.trim());
    write('');
    area.current?.focus();
  };

  const keyed = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  if (archived) return <p className="composer-closed">This session is archived: it can be read, and nothing more can be asked in it. <Link to={paths.new}>Start a new session</Link></p>;
  return (
    <div className="composer">
      <textarea ref={area} rows={1} value={text} aria-label="Message" aria-describedby={hintId} aria-invalid={tooLong || undefined} placeholder={active ? 'Write the next message; it waits its turn' : 'Ask for something'} onChange={(event) => write(event.target.value)} onKeyDown={keyed} />
      <div className="composer-bar">
        <span id={hintId} className={tooLong ? 'composer-hint field-error' : 'composer-hint'}>
          {size > promptLimit * 0.8 ? `${bytes(size)} of ${bytes(promptLimit)}${tooLong ? ': too long to send' : ''}` : 'Enter sends, Shift + Enter starts a new line'}
        </span>
        {active && <StopButton key={active.id} sessionId={sessionId} turn={active} />}
        <IconButton className="send-button" icon="send" label={active ? 'Send; it waits its turn' : 'Send'} disabled={text.trim() === '' || tooLong} onClick={send} />
      </div>
    </div>
  );
}

/** Stops the running message; the answer comes as an event, until then it says that it is on its way. */
function StopButton({ sessionId, turn }: { sessionId: string; turn: Turn }) {
  const [asked, setAsked] = useState(false);
  const mounted = useRef(true);
  useEffect(() => {
    mounted.current = true;
    return () => { mounted.current = false; };
  }, []);
  const stop = async () => {
    setAsked(true);
    try {
      await api.cancelMessage(sessionId, turn.id);
    } catch (error) {
      showProblem(error);
      if (mounted.current) setAsked(false);
    }
  };
  const stopping = asked || turn.cancelling;
  return <Button size="small" icon="stop" className="stop-button" busy={stopping} onClick={() => void stop()}>{stopping ? 'Stopping…' : 'Stop'}</Button>;
}

function fitHeight(area: HTMLTextAreaElement | null): void {
  if (!area) return;
  area.style.height = 'auto';
  area.style.height = `${Math.min(area.scrollHeight, window.innerHeight * 0.4)}px`;
}
