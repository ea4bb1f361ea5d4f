import { readLocal, writeLocal } from '../live/storage';

const key = 'coordinator.organization';

let chosen = readLocal(key);

/** The organization this page works in; null until the host has said which. */
export function chosenOrganization(): string | null {
  return chosen;
}

export function chooseOrganization(id: string | null): void {
  chosen = id;
  writeLocal(key, id);
}

/** An address that the browser asks for by itself, a socket's or a link's, where no header can name the organization. */
export function inOrganization(address: string): string {
  return chosen === null ? address : `${address}${address.includes('?') ? '&' : '?'}organization=${encodeURIComponent(chosen)}`;
}
