import { readLocal, writeLocal } from './storage';

/** What a person has typed and not sent, per session ("new" for the session that does not exist yet). */
export const drafts = {
  read: (session: string): string => readLocal(`coordinator.draft.${session}`) ?? '',
  write: (session: string, text: string): void => writeLocal(`coordinator.draft.${session}`, text === '' ? null : text),
};
