import type { SecretInfo } from '../api/wire';

/** What the parts of the settings that hold secrets have in common. */
export interface SecretSectionProps {
  readonly secrets: readonly SecretInfo[] | null;
  readonly mayChange: boolean;
  readonly onChanged: () => Promise<void>;
}
