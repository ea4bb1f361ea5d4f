import type { Usage } from '../api/wire';

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000_000], ['month', 2_592_000_000], ['week', 604_800_000], ['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });

/** "3 min. ago", "yesterday", "now". */
export function relativeTime(at: string, now: number): string {
  const difference = Date.parse(at) - now;
  if (Number.isNaN(difference)) return '';
  const unit = units.find(([, size]) => Math.abs(difference) >= size);
  return unit ? relative.format(Math.round(difference / unit[1]), unit[0]) : 'now';
}

const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function dateTime(at: string): string {
  const time = Date.parse(at);
  return Number.isNaN(time) ? '' : full.format(time);
}

/** "340 ms", "2.4 s", "3 min 12 s". */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Whole seconds, for what is still going on. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** "950", "12.4k", "1.2M". */
export function count(value: number): string {
  if (value < 1000) return String(value);
  if (value < 999_500) return `${trim(value / 1000)}k`;
  return `${trim(value / 1_000_000)}M`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1_048_576) return `${trim(value / 1024)} KB`;
  return `${trim(value / 1_048_576)} MB`;
}

export function money(dollars: number): string {
  if (dollars === 0) return '$0';
  return dollars < 0.01 ? `$${dollars.toFixed(4)}` : `$${dollars.toFixed(2)}`;
}

/** "18.2k in, 640 out, $0.04"; null when nothing was used. */
export function usageLine(usage: Usage): string | null {
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  if (input + output === 0 && usage.costUsd === 0) return null;
  const cost = usage.costUsd > 0 ? ` · ${money(usage.costUsd)}` : '';
  return `${count(input)} tokens in · ${count(output)} out${cost}`;
}

/** "acme/duration" of "https://github.com/acme/duration.git". */
export function repositoryName(url: string): string {
  return url.replace(/^[a-z+]+:\/\/(?:[^@/]*@)?/i, '').replace(/\.git$/, '').replace(/\/$/, '').split('/').slice(-2).join('/');
}

function trim(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '');
}
