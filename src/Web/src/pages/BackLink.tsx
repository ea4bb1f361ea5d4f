import { Link } from '../app/Link';
import { paths } from '../app/router';
import { Icon } from '../ui/Icon';

/** The way back to the list, where the list is a page of its own. */
export function BackLink() {
  return <Link to={paths.home} className="icon-button back-link" aria-label="All sessions" title="All sessions"><Icon name="back" size={20} /></Link>;
}
