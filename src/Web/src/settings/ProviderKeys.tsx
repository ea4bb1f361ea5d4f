import { refreshCatalog, useCatalog } from '../app/catalog';
import { Unread } from '../ui/Unread';
import { AdminsOnly } from './AdminsOnly';
import { SecretRow } from './SecretRow';
import type { SecretSectionProps } from './secretSection';

/** The keys with which the organization's model calls are made. */
export function ProviderKeys({ secrets, mayChange, onChanged }: SecretSectionProps) {
  const catalog = useCatalog();
  const providers = catalog.providers.flatMap((provider) => (provider.secretName ? [{ ...provider, secretName: provider.secretName }] : []));
  return (
    <section className="settings-section" id="providers">
      <div className="settings-head"><h2>Model providers</h2><p className="muted">Keys are sealed for your organization and never enter a sandbox: calls are made through this host.</p></div>
      {catalog.state === 'failed' && catalog.problem && <Unread what="The providers" problem={catalog.problem} again={refreshCatalog} />}
      {(secrets === null || catalog.state === 'loading') && catalog.state !== 'failed' && <div className="skeletons" role="status" aria-label="Loading"><i /><i /></div>}
      {secrets && (
        <ul className="settings-rows">
          {providers.map((provider) => <SecretRow key={provider.name} label={provider.displayName} name={provider.secretName} secret={secrets.find((secret) => secret.name === provider.secretName) ?? null} mayChange={mayChange} onChanged={onChanged} />)}
        </ul>
      )}
      {!mayChange && <AdminsOnly />}
    </section>
  );
}
