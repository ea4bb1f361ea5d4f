import type { Handlers } from './handler';

/** What happens to the session itself. */
export const sessionHandlers: Handlers = {
  'session.created': (draft, event, data) => {
    draft.fields.info = {
      ...draft.fields.info,
      title: data.string('title'),
      model: data.string('model'),
      agent: data.string('agent'),
      permissions: data.oneOf('permissions', ['auto', 'ask'], 'auto'),
      repository: data.repository('repository'),
      createdBy: data.principal('createdBy'),
      createdAt: event.at,
    };
  },

  'session.renamed': (draft, _event, data) => {
    draft.fields.info = { ...draft.fields.info, title: data.string('title') };
  },

  'session.archived': (draft, event, data) => {
    draft.fields.info = { ...draft.fields.info, archived: { by: data.principal('by')?.displayName ?? null, at: event.at } };
  },

  'environment.changed': (draft, event, data) => {
    const environment = data.environment('environment');
    // Against nothing everything has changed, which is not worth saying.
    const changes = data.boolean('first') ? [] : data.strings('changes');
    draft.fields.environment = environment;
    draft.place(event.messageId).put({ kind: 'environment', key: `environment:${event.seq}`, environment, changes });
  },

  'events.lost': (draft, event, data) => {
    draft.place(event.messageId).put({
      kind: 'notice',
      key: `lost:${event.seq}`,
      tone: 'warning',
      text: 'A part of what happened here could not be recovered.',
      detail: data.optionalString('reason'),
      at: event.at,
    });
  },
};
