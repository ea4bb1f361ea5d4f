/** The mark and the name. */
export function Brand() {
  return (
    <span className="brand">
      <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="var(--accent-solid)" /><path d="M21.5 11.2a7.2 7.2 0 1 0 0 9.6" fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round" /><circle cx="16" cy="16" r="2.4" fill="#fff" /></svg>
      Coordinator
    </span>
  );
}
