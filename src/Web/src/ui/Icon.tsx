import type { ReactNode } from 'react';

/** Drawn on a 20 by 20 grid with one stroke, so that they sit well beside text. */
const shapes = {
  plus: <path d="M10 4.5v11M4.5 10h11" />,
  search: <><circle cx="9" cy="9" r="4.5" /><path d="m12.5 12.5 3.5 3.5" /></>,
  settings: <><path d="M4 6.5h5M13 6.5h3M4 13.5h3M11 13.5h5" /><circle cx="11" cy="6.5" r="1.9" /><circle cx="9" cy="13.5" r="1.9" /></>,
  back: <path d="M11.5 5 6.5 10l5 5" />,
  chevron: <path d="m7.5 5 5 5-5 5" />,
  check: <path d="m4.5 10.5 3.5 3.5 7.5-8" />,
  cross: <path d="m5.5 5.5 9 9m0-9-9 9" />,
  up: <path d="M10 15.5v-11M5.5 9 10 4.5 14.5 9" />,
  down: <path d="M10 4.5v11M5.5 11l4.5 4.5 4.5-4.5" />,
  stop: <rect x="6" y="6" width="8" height="8" rx="1.5" fill="currentColor" />,
  edit: <path d="M4.5 15.5 5 12.6l7.4-7.4a1.7 1.7 0 0 1 2.4 2.4L7.4 15l-2.9.5ZM11.3 6.3l2.4 2.4" />,
  archive: <><rect x="3.5" y="4.5" width="13" height="3.5" rx="1" /><path d="M5 8v6a1.5 1.5 0 0 0 1.5 1.5h7A1.5 1.5 0 0 0 15 14V8M8.5 11h3" /></>,
  copy: <><rect x="7" y="7" width="9" height="9" rx="1.8" /><path d="M13 7V5.8A1.8 1.8 0 0 0 11.2 4H5.8A1.8 1.8 0 0 0 4 5.8v5.4A1.8 1.8 0 0 0 5.8 13H7" /></>,
  retry: <><path d="M15.5 10a5.5 5.5 0 1 1-1.7-4" /><path d="M15.7 3.5V7h-3.5" /></>,
  download: <path d="M10 4v8.5M6.2 9 10 12.8 13.8 9M4.5 16h11" />,
  terminal: <path d="m4.5 6 4 4-4 4M10.5 14.5h5" />,
  file: <path d="M11.5 3.5h-5A1.5 1.5 0 0 0 5 5v10a1.5 1.5 0 0 0 1.5 1.5h7A1.5 1.5 0 0 0 15 15V7l-3.5-3.5Zm0 0V7H15" />,
  globe: <><circle cx="10" cy="10" r="6.3" /><path d="M3.7 10h12.6M10 3.7c2.2 2 2.8 4 2.8 6.3s-.6 4.3-2.8 6.3c-2.2-2-2.8-4-2.8-6.3s.6-4.3 2.8-6.3Z" /></>,
  list: <path d="M8 5.5h8M8 10h8M8 14.5h8M4.3 5.5h.01M4.3 10h.01M4.3 14.5h.01" />,
  tool: <path d="M12.8 4a3.7 3.7 0 0 0-3.5 5l-5 5 1.7 1.7 5-5a3.7 3.7 0 0 0 4.9-4.5l-2.3 2.1-1.9-.5-.5-1.9L13.5 4Z" />,
  agent: <><circle cx="6.5" cy="6" r="2" /><circle cx="13.5" cy="14" r="2" /><path d="M6.5 8v2A2.5 2.5 0 0 0 9 12.5h2.5" /></>,
  thought: <><path d="M10 3.7a5 5 0 0 0-3 9c.6.5.9 1 .9 1.7h4.2c0-.7.3-1.2.9-1.7a5 5 0 0 0-3-9Z" /><path d="M8.3 16.8h3.4" /></>,
  box: <path d="m10 3.5 6 3v7l-6 3-6-3v-7l6-3Zm0 0v0M4.2 6.6 10 9.5l5.8-2.9M10 9.5v6.8" />,
  shield: <path d="m10 3.5 5.5 2v4c0 3.3-2.2 5.7-5.5 7-3.3-1.3-5.5-3.7-5.5-7v-4l5.5-2Z" />,
  warning: <><path d="M10 4 3.5 15.5h13L10 4Z" /><path d="M10 8.5v3.2M10 13.6v.01" /></>,
  key: <><circle cx="7" cy="12.5" r="3" /><path d="m9.2 10.3 6-6M13 6.5l2 2" /></>,
  sun: <><circle cx="10" cy="10" r="3" /><path d="M10 3v1.5M10 15.5V17M3 10h1.5M15.5 10H17M5 5l1.1 1.1M13.9 13.9 15 15M15 5l-1.1 1.1M6.1 13.9 5 15" /></>,
  moon: <path d="M15.8 11.7A6.2 6.2 0 0 1 8.3 4.2a6.2 6.2 0 1 0 7.5 7.5Z" />,
  screen: <><rect x="3.5" y="4.5" width="13" height="9" rx="1.5" /><path d="M8 16.5h4" /></>,
  exit: <path d="M8.5 4.5h-3A1 1 0 0 0 4.5 5.5v9a1 1 0 0 0 1 1h3M12 6.5 15.5 10 12 13.5M15.5 10H8" />,
  send: <path d="M10 15.5v-11M5.5 9 10 4.5 14.5 9" />,
  repo: <><path d="M5 15V5.5A1.5 1.5 0 0 1 6.5 4H15v9H6.5A1.5 1.5 0 0 0 5 14.5 1.5 1.5 0 0 0 6.5 16H15v-3" /></>,
  branch: <><circle cx="6" cy="5.5" r="1.7" /><circle cx="6" cy="14.5" r="1.7" /><circle cx="14" cy="7.5" r="1.7" /><path d="M6 7.2v5.6M14 9.2c0 2.3-2 2.8-4 3-1.3.1-2.6.3-3.3 1" /></>,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

/** A picture beside words: never read out by itself. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  );
}
