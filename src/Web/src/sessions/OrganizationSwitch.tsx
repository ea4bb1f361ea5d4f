import { chooseOrganization } from '../api/organization';
import type { Me } from '../api/wire';
import { paths } from '../app/router';

/** For who is in several organizations. The page starts anew, so that nothing of the one is left in the other. */
export function OrganizationSwitch({ me }: { me: Me }) {
  if (me.organizations.length < 2) return null;
  const change = (id: string) => {
    chooseOrganization(id);
    location.assign(paths.home);
  };
  return (
    <div className="organization-switch">
      <select aria-label="Organization" value={me.organization.id} onChange={(event) => change(event.target.value)}>
        {me.organizations.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
      </select>
    </div>
  );
}
