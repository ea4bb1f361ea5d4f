const titles: Readonly<Record<string, string>> = {
  interrupted: 'The sandbox was lost while this ran',
  boot_failed: 'The sandbox could not be started',
  repository_not_found: 'The repository was not found',
  repository_unreachable: 'The repository cannot be reached',
  branch_not_found: 'The branch was not found',
  repository_too_large: 'The repository is too large',
  agent_start_failed: 'The agent did not start',
  sandbox_full: 'There is no room for another sandbox',
  sandbox_capability_missing: 'The sandbox provider lacks what is required',
  sandbox_unavailable: 'No sandbox is available',
  boot_timeout: 'The sandbox took too long to start',
  agent_crashed: 'The agent crashed',
  agent_hung: 'The agent stopped answering',
  too_many_questions: 'The agent asked too many questions',
  model_error: 'The model failed',
  control_plane_unavailable: 'The control plane was away',
  stored_data_unreadable: 'Stored data cannot be read',
  model_key_missing: 'The model’s key is missing',
  secret_key_lost: 'A stored key cannot be opened',
  outcome_unknown: 'It is not known how this ended',
  disk_full: 'The sandbox’s disk is full',
  empty_output: 'The agent answered nothing',
};

/** The heading of a failure; its own detail says the rest. */
export function failureTitle(code: string): string {
  return titles[code] ?? 'This message failed';
}
