/** Why there is nothing to press here. */
export function AdminsOnly() {
  return <p className="muted">Only admins and owners of your organization can change these.</p>;
}
