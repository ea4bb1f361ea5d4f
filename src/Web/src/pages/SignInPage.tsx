import { useEffect, useState } from 'react';
import { api } from '../api/api';
import { chooseOrganization } from '../api/organization';
import type { ApiProblem } from '../api/problem';
import { asProblem } from '../api/problem';
import { Brand } from '../app/Brand';
import { askIdentity } from '../app/identity';
import { navigate, paths } from '../app/router';
import { Button } from '../ui/Button';
import { CopyButton } from '../ui/CopyButton';
import { Notice } from '../ui/Notice';

// A link works once: it is taken out of the address bar before it is used, and used once per page, not per render.
const used = new Map<string, Promise<void>>();

function linkInAddress(): string | null {
  const link = location.hash.slice(1);
  return link.startsWith('sl_') ? link : null;
}

function spend(link: string): Promise<void> {
  const known = used.get(link);
  if (known) return known;
  const spending = api.signIn(link).then(async ({ organization }) => {
    chooseOrganization(organization.id);
    await askIdentity();
  });
  used.set(link, spending);
  return spending;
}

/** Signs in by the one-time link that the host prints; without one it says where to get it. */
export function SignInPage() {
  const [link, setLink] = useState(linkInAddress);
  const [problem, setProblem] = useState<ApiProblem | null>(null);

  useEffect(() => {
    const changed = () => {
      const next = linkInAddress();
      if (!next) return;
      setProblem(null);
      setLink(next);
    };
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);

  useEffect(() => {
    if (!link || problem) return;
    if (linkInAddress()) history.replaceState(null, '', location.pathname);
    spend(link).then(
      () => { if (location.pathname === paths.signIn) navigate(paths.home, { replace: true }); },
      (error: unknown) => setProblem(asProblem(error)),
    );
  }, [link, problem]);

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Brand />
        {link && !problem ? <p className="sign-in-busy" role="status"><span className="spinner" aria-hidden="true" /> Signing you in…</p> : <Guidance problem={problem} onAgain={link && problem && problem.status !== 401 ? () => again(link, setProblem) : null} />}
      </div>
    </main>
  );
}

function again(link: string, setProblem: (problem: null) => void): void {
  used.delete(link);
  setProblem(null);
}

function Guidance({ problem, onAgain }: { problem: ApiProblem | null; onAgain: (() => void) | null }) {
  return (
    <>
      <h1>Sign in</h1>
      {problem && (
        <Notice tone="danger" alert title={problem.status === 401 ? 'This sign-in link no longer works' : 'That did not work'} actions={onAgain && <Button icon="retry" onClick={onAgain}>Try again</Button>}>
          {problem.status === 401 ? 'A link works once and only for a while. Get a new one as described below.' : problem.detail}
        </Notice>
      )}
      <p>Coordinator signs you in by a one-time link. To get one, on the machine where it runs:</p>
      <ul className="sign-in-steps">
        <li>
          <span>Print a new link</span>
          <span className="command"><code>coordinator login</code><CopyButton text="coordinator login" label="Copy command" /></span>
        </li>
        <li><span>Or restart the host: it prints a link when it starts.</span></li>
      </ul>
      <p className="muted">Then open the link in this browser. You stay signed in here until you sign out.</p>
    </>
  );
}
