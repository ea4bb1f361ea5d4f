import { useCallback } from 'react';
import { api } from '../api/api';
import { refreshCatalog } from '../app/catalog';
import { forgetIdentity, useIdentity } from '../app/identity';
import { navigate, paths } from '../app/router';
import { ApiKeys } from '../settings/ApiKeys';
import { GitTokens } from '../settings/GitTokens';
import { Organizations } from '../settings/Organizations';
import { ProviderKeys } from '../settings/ProviderKeys';
import { ThemeChoice } from '../settings/ThemeChoice';
import { Button } from '../ui/Button';
import { Unread } from '../ui/Unread';
import { showProblem } from '../ui/toasts';
import { useResource } from '../ui/useResource';
import { useTitle } from '../ui/useTitle';
import { BackLink } from './BackLink';

/** What an organization gives its agents, who may call the API, and how this browser looks. */
export function SettingsPage() {
  useTitle('Settings');
  const secrets = useResource(api.secrets);
  const identity = useIdentity();
  const mayChange = identity.kind === 'signedIn' && (identity.me.role === 'owner' || identity.me.role === 'admin');
  const changed = useCallback(async () => {
    await Promise.all([secrets.reload(), refreshCatalog()]);
  }, [secrets]);
  return (
    <div className="page">
      <BackLink />
      <h1>Settings</h1>
      {secrets.problem && <Unread what="The stored secrets" problem={secrets.problem} again={secrets.reload} />}
      <ProviderKeys secrets={secrets.value} mayChange={mayChange} onChanged={changed} />
      <GitTokens secrets={secrets.value} mayChange={mayChange} onChanged={changed} />
      {identity.kind === 'signedIn' && <ApiKeys role={identity.me.role} />}
      {identity.kind === 'signedIn' && <Organizations me={identity.me} />}
      <ThemeChoice />
      <section className="settings-section">
        <div className="settings-head"><h2>You</h2></div>
        {identity.kind === 'signedIn' && <p>{identity.me.principal.displayName} in {identity.me.organization.name}, as {identity.me.role}.</p>}
        <Button icon="exit" onClick={() => void signOut()}>Sign out</Button>
      </section>
    </div>
  );
}

async function signOut(): Promise<void> {
  try {
    await api.signOut();
    forgetIdentity();
    navigate(paths.signIn);
  } catch (error) {
    showProblem(error);
  }
}
