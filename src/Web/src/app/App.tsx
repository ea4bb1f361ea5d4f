import { useEffect } from 'react';
import { ConversationPage } from '../pages/ConversationPage';
import { HomePage } from '../pages/HomePage';
import { NewSessionPage } from '../pages/NewSessionPage';
import { SettingsPage } from '../pages/SettingsPage';
import { SignInPage } from '../pages/SignInPage';
import { Sidebar } from '../sessions/Sidebar';
import { Button } from '../ui/Button';
import { cx } from '../ui/cx';
import { Notice } from '../ui/Notice';
import { Toasts } from '../ui/toasts';
import { askIdentity, useIdentity } from './identity';
import { Link } from './Link';
import type { Route } from './router';
import { paths, useRoute } from './router';

export function App() {
  const route = useRoute();
  const identity = useIdentity();
  useEffect(() => {
    if (route.name !== 'signIn') void askIdentity();
    // Only at the start: that somebody was signed out later is told by a 401.
  }, []);
  if (route.name === 'signIn' || identity.kind === 'signedOut') return <SignInPage />;
  if (identity.kind === 'asking') return <div className="splash" role="status"><span className="spinner spinner-large" aria-hidden="true" /><span className="visually-hidden">Loading</span></div>;
  if (identity.kind === 'unknown') return <Unreachable detail={identity.problem.detail} />;
  return (
    <div className={cx('shell', route.name === 'home' && 'shell-home')}>
      <a className="skip-link" href="#main">Skip to the content</a>
      <Sidebar route={route} me={identity.me} />
      <main id="main" className="main" tabIndex={-1}><Page route={route} /></main>
      <Toasts />
    </div>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.name) {
    case 'home':
      return <HomePage />;
    case 'new':
      return <NewSessionPage />;
    case 'settings':
      return <SettingsPage />;
    case 'session':
      return <ConversationPage key={route.id} id={route.id} />;
    default:
      return <div className="page"><h1>There is no such page</h1><p>The address may be mistyped. <Link to={paths.home}>Go to your sessions</Link>.</p></div>;
  }
}

function Unreachable({ detail }: { detail: string }) {
  return (
    <main className="splash">
      <Notice tone="danger" title="Coordinator cannot be reached" alert actions={<Button icon="retry" onClick={() => void askIdentity()}>Try again</Button>}>{detail}</Notice>
    </main>
  );
}
