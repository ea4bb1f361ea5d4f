import type { ButtonHTMLAttributes } from 'react';
import { cx } from './cx';
import type { IconName } from './Icon';
import { Icon } from './Icon';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly kind?: 'primary' | 'plain' | 'quiet' | 'danger';
  readonly size?: 'small' | 'normal';
  readonly icon?: IconName;
  readonly busy?: boolean;
}

/** A button with words. While it is busy it takes no second click and says so. */
export function Button({ kind = 'plain', size = 'normal', icon, busy = false, children, className, disabled, type = 'button', ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} className={cx('button', `button-${kind}`, size === 'small' && 'button-small', className)} disabled={disabled || busy} aria-busy={busy || undefined}>
      {busy ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName;
  readonly label: string;
}

/** A button with a picture only; its label is read out and shown on hover. */
export function IconButton({ icon, label, className, type = 'button', ...rest }: IconButtonProps) {
  return (
    <button {...rest} type={type} className={cx('icon-button', className)} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}
