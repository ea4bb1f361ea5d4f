import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import { api } from '../api/api';
import { newIdempotencyKey } from '../api/http';
import type { ApiProblem } from '../api/problem';
import { asProblem } from '../api/problem';
import type { NewSession } from '../api/wire';
import { navigate, paths } from '../app/router';
import { promptBytes, promptLimit } from '../conversation/promptLimit';
import { drafts } from '../live/drafts';
import { readLocal, writeLocal } from '../live/storage';
import { sessionList } from '../sessions/sessionList';
import { Button } from '../ui/Button';
import { Field } from '../ui/Field';
import { bytes } from '../ui/format';
import { Notice } from '../ui/Notice';
import { useResource } from '../ui/useResource';
import { useTitle } from '../ui/useTitle';
import { BackLink } from './BackLink';
import { ModelPicker } from './ModelPicker';
import { PermissionModes } from './PermissionModes';

type FieldName = 'prompt' | 'repository' | 'branch' | 'model';

interface FieldProblem {
  readonly field: FieldName | null;
  readonly text: string;
}

const lastModel = 'coordinator.lastModel';

/** Everything a session needs to begin: what to do, where, and by which model. */
export function NewSessionPage() {
  useTitle('New session');
  const [prompt, setPromptText] = useState(() => drafts.read('new'));
  const [repository, setRepository] = useState('');
  const [branch, setBranch] = useState('');
  const [model, setModel] = useState(() => readLocal(lastModel) ?? '');
  const [permissions, setPermissions] = useState<'auto' | 'ask'>('auto');
  const [problem, setProblem] = useState<FieldProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const attempt = useRef({ body: '', key: '' });
  const errorOf = (field: FieldName) => (problem?.field === field ? problem.text : null);

  const setPrompt = (text: string) => {
    setPromptText(text);
    drafts.write('new', text);
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const local = check(prompt, repository, branch, model);
    setProblem(local);
    if (local) return focusField(local.field);
    const body = bodyOf(prompt, repository, branch, model, permissions);
    // The same form sent again is the same wish; a changed one is another.
    const text = JSON.stringify(body);
    if (attempt.current.body !== text) attempt.current = { body: text, key: newIdempotencyKey() };
    setBusy(true);
    try {
      const session = await api.createSession(body, attempt.current.key);
      drafts.write('new', '');
      writeLocal(lastModel, model);
      sessionList.put(session);
      navigate(paths.session(session.id));
    } catch (error) {
      const refused = fieldProblem(asProblem(error));
      setProblem(refused);
      setBusy(false);
      focusField(refused.field);
    }
  };

  return (
    <div className="page">
      <BackLink />
      <h1>New session</h1>
      <form className="form" onSubmit={(event) => void submit(event)} noValidate>
        <Field label="What should the agent do?" error={errorOf('prompt')} hint={promptBytes(prompt) > promptLimit * 0.8 ? `${bytes(promptBytes(prompt))} of ${bytes(promptLimit)}` : undefined}>
          {(control) => <textarea {...control} data-field="prompt" autoFocus rows={5} value={prompt} placeholder="For example: the date test fails since Monday. Find out why and mend it." onChange={(event) => setPrompt(event.target.value)} onKeyDown={(event) => { if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.form?.requestSubmit(); }} />}
        </Field>
        <div className="form-row">
          <Field label="Repository" optional hint={<RepositoryHint empty={repository.trim() === ''} onChoose={setRepository} />} error={errorOf('repository')}>
            {(control) => <input {...control} data-field="repository" type="url" inputMode="url" autoComplete="url" spellCheck={false} value={repository} placeholder="https://github.com/acme/app" onChange={(event) => setRepository(event.target.value)} />}
          </Field>
          <Field label="Branch" optional hint={repository.trim() === '' ? 'Needs a repository.' : 'Its default branch if empty.'} error={errorOf('branch')}>
            {(control) => <input {...control} data-field="branch" spellCheck={false} autoCapitalize="off" value={branch} disabled={repository.trim() === ''} onChange={(event) => setBranch(event.target.value)} />}
          </Field>
        </div>
        <ModelPicker value={model} onChange={setModel} error={errorOf('model')} />
        <PermissionModes value={permissions} onChange={setPermissions} />
        {problem?.field === null && <Notice tone="danger" alert title="The session was not started">{problem.text}</Notice>}
        <div className="form-actions"><Button type="submit" kind="primary" busy={busy}>Start session</Button></div>
      </form>
    </div>
  );
}

/** Offers the demo's repository where there is one, so that a first session needs no address at hand. */
function RepositoryHint({ empty, onChoose }: { readonly empty: boolean; readonly onChoose: (url: string) => void }) {
  const sample = useResource(api.sampleRepository).value;
  if (!empty) return <>Its https address, without a user name or password.</>;
  return <>Leave it empty for an empty workspace{sample !== null && <>, or <button type="button" className="link-button" onClick={() => onChoose(sample)}>use the sample repository</button></>}.</>;
}

function check(prompt: string, repository: string, branch: string, model: string): FieldProblem | null {
  if (prompt.trim() === '') return { field: 'prompt', text: 'Say what the agent should do.' };
  if (promptBytes(prompt) > promptLimit) return { field: 'prompt', text: `This is ${bytes(promptBytes(prompt))} long; a message may have ${bytes(promptLimit)}. Shorten it, or put the long part in a file of the repository.` };
  if (repository.trim() !== '' && !/^https?:\/\/\S+$/i.test(repository.trim())) return { field: 'repository', text: 'Give the repository’s https address, such as https://github.com/acme/app.' };
  if (/\s/.test(branch.trim())) return { field: 'branch', text: 'A branch has no spaces in its name.' };
  if (model.trim() === '') return { field: 'model', text: 'Choose a model; there is no default.' };
  if (!/^[^/\s]+\/\S+$/.test(model.trim())) return { field: 'model', text: 'Write the model as provider/model.' };
  return null;
}

function bodyOf(prompt: string, repository: string, branch: string, model: string, permissions: 'auto' | 'ask'): NewSession {
  const url = repository.trim();
  const name = branch.trim();
  return {
    model: model.trim(), permissions, prompt: prompt.trim(), ...(url === '' ? {} : { repository: name === '' ? { url } : { url, branch: name } }),
  };
}

/** Puts a refusal of the host beside the field it is about. */
export function fieldProblem(problem: ApiProblem): FieldProblem {
  const field = (['prompt', 'branch', 'repository', 'model'] as const).find((name) => problem.code.startsWith(name));
  return { field: field ?? null, text: problem.detail };
}

function focusField(field: FieldName | null): void {
  if (field) document.querySelector<HTMLElement>(`[data-field="${field}"]`)?.focus();
}
