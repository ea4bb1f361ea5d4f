import { setTheme, useTheme } from '../app/theme';
import { Icon } from '../ui/Icon';

const themes = [
  { value: 'system', label: 'As the system', icon: 'screen' },
  { value: 'light', label: 'Light', icon: 'sun' },
  { value: 'dark', label: 'Dark', icon: 'moon' },
] as const;

/** How this browser shows the app. */
export function ThemeChoice() {
  const theme = useTheme();
  return (
    <section className="settings-section" id="theme">
      <div className="settings-head"><h2>Appearance</h2></div>
      <div className="segments" role="radiogroup" aria-label="Theme">
        {themes.map((choice) => (
          <label key={choice.value} className="segment">
            <input type="radio" name="theme" checked={theme === choice.value} onChange={() => setTheme(choice.value)} />
            <Icon name={choice.icon} />{choice.label}
          </label>
        ))}
      </div>
    </section>
  );
}
