import type { ReactNode } from 'react';
import { cx } from './cx';
import { Icon } from './Icon';

interface NoticeProps {
  readonly tone: 'info' | 'warning' | 'danger';
  readonly title?: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  readonly alert?: boolean;
}

/** A sentence that a person should see, with what they can do about it. */
export function Notice({ tone, title, children, actions, alert = false }: NoticeProps) {
  return (
    <div className={cx('notice', `notice-${tone}`)} role={alert ? 'alert' : undefined}>
      <Icon name={tone === 'info' ? 'box' : 'warning'} />
      <div className="notice-text">
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
        {actions && <div className="notice-actions">{actions}</div>}
      </div>
    </div>
  );
}
