import type { ReactNode } from 'react';
import { useId } from 'react';

export interface FieldControl {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean | undefined;
}

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly optional?: boolean;
  readonly error?: string | null;
  readonly children: (control: FieldControl) => ReactNode;
}

/** A labelled control with its hint and what is wrong with it. */
export function Field({ label, hint, optional = false, error = null, children }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const described = error !== null || hint !== undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}{optional && <span className="field-optional">optional</span>}</label>
      {children({ id, 'aria-describedby': described ? noteId : undefined, 'aria-invalid': error !== null || undefined })}
      {error !== null ? <p id={noteId} className="field-error" role="alert">{error}</p> : hint !== undefined && <p id={noteId} className="field-hint">{hint}</p>}
    </div>
  );
}
