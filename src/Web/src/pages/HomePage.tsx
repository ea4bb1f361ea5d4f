import { Link } from '../app/Link';
import { paths } from '../app/router';
import { useSessionList } from '../sessions/sessionList';
import { Icon } from '../ui/Icon';
import { useTitle } from '../ui/useTitle';

/** What stands beside the list while no session is open; narrow screens show the list instead. */
export function HomePage() {
  useTitle('Sessions');
  const list = useSessionList();
  const empty = list.state === 'loaded' && list.items.length === 0;
  return (
    <div className="home">
      <div className="home-mark"><Icon name="terminal" size={28} /></div>
      <h1>{empty ? 'Put an agent to work' : 'What should happen next?'}</h1>
      <p>{empty
        ? 'Name a repository and a model and say what you want. The agent works in a sandbox of its own, and you see every step.'
        : 'Open a session on the left, or start a new one.'}</p>
      <Link className="button button-primary" to={paths.new}><Icon name="plus" />New session</Link>
    </div>
  );
}
