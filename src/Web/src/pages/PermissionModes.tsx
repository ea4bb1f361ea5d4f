const modes = [
  { value: 'auto', label: 'Work freely', hint: 'The agent runs commands and edits files in its sandbox without asking. What reaches outside is refused.' },
  { value: 'ask', label: 'Ask me first', hint: 'Commands and edits wait for your answer.' },
] as const;

/** How much the agent may do by itself. */
export function PermissionModes({ value, onChange }: { value: 'auto' | 'ask'; onChange: (value: 'auto' | 'ask') => void }) {
  return (
    <fieldset className="field">
      <legend>Permissions</legend>
      <div className="choices choices-side">
        {modes.map((mode) => (
          <label key={mode.value} className="choice">
            <input type="radio" name="permissions" value={mode.value} checked={value === mode.value} onChange={() => onChange(mode.value)} />
            <span className="choice-text"><span className="choice-label">{mode.label}</span><span className="choice-hint">{mode.hint}</span></span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
