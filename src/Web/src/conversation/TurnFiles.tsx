import { api } from '../api/api';
import { useSessionStore } from '../live/useSession';
import { bytes } from '../ui/format';
import { Icon } from '../ui/Icon';
import type { FileChange, Turn } from './model';
import { shortPath } from './toolWords';

const letters: Readonly<Record<FileChange['change'], string>> = { created: 'A', modified: 'M', deleted: 'D' };

/** The files that a turn left changed, and what it kept for downloading. */
export function TurnFiles({ turn }: { turn: Turn }) {
  const store = useSessionStore();
  const ofTools = new Set(turn.content.items.flatMap((item) => (item.kind === 'tool' && item.artifact ? [item.artifact] : [])));
  const artifacts = turn.artifacts.filter((artifact) => !ofTools.has(artifact.sha256));
  if (turn.files.length === 0 && artifacts.length === 0) return null;
  return (
    <div className="files">
      {turn.files.length > 0 && (
        <details className="files-changed" open={turn.files.length <= 8}>
          <summary><Icon name="chevron" size={14} />{turn.files.length === 1 ? '1 file changed' : `${turn.files.length} files changed`}</summary>
          <ul>
            {turn.files.map((file) => (
              <li key={file.path}><span className={`file-letter file-${file.change}`} title={file.change} aria-label={file.change}>{letters[file.change]}</span><code className="truncate">{shortPath(file.path)}</code></li>
            ))}
          </ul>
        </details>
      )}
      {artifacts.map((artifact) => (
        <a key={artifact.sha256} className="button button-plain button-small" href={api.artifactUrl(store.id, artifact.sha256)} download={artifact.name}>
          <Icon name="download" />{artifact.name}{artifact.size !== null && <span className="muted">{bytes(artifact.size)}</span>}
        </a>
      ))}
    </div>
  );
}
