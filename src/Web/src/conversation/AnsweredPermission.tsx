import { Icon } from '../ui/Icon';
import type { PermissionAnswer, PermissionItem } from './model';
import { permissionWords } from './permissionWords';

/** A question that has its answer, and from whom. */
export function AnsweredPermission({ item, answer }: { item: PermissionItem; answer: PermissionAnswer }) {
  return (
    <div className="line">
      <Icon name="shield" />
      <span>
        {said(answer)} to {permissionWords(item.permission)}
        {item.patterns[0] && <> <code>{item.patterns[0]}</code></>}
        {answer.note && <span className="muted"> “{answer.note}”</span>}
      </span>
    </div>
  );
}

function said(answer: PermissionAnswer): string {
  if (answer.how === 'grant') return 'Allowed by an earlier answer';
  if (answer.how === 'expired') return 'Nobody answered in time, so it was not allowed';
  if (answer.how === 'ended') return 'Not answered before the message ended: permission';
  const by = answer.by ? ` by ${answer.by}` : '';
  if (answer.decision === 'reject') return `Rejected${by}: permission`;
  return answer.decision === 'session' ? `Allowed${by} for this session` : `Allowed once${by}`;
}
