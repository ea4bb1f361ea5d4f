#!/usr/bin/env bash
# Publishes the programs of an older release for tests/Chaos/run.sh --upgrade-from: tests/Chaos/publish-older.sh REF DIR, as run.sh in the repository's root.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -eq 2 ] || { echo "tests/Chaos/publish-older.sh REF DIR: the programs of the commit or tag REF, into the folder DIR" >&2; exit 64; }
[ -z "$(ls -A "$2" 2>/dev/null)" ] || { echo "$2 is not empty." >&2; exit 1; }
commit=$(git rev-parse --verify "$1^{commit}")
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
git archive "$commit" | tar -x -C "$source"
mkdir -p "$2"
into=$(cd "$2" && pwd)
cd "$source"
. scripts/setup.sh # the older release's own: it knows how it is built
need_dotnet
build_box
mv artifacts/box "$into/box"
publish src/Host "$into/host" -p:SourceRevisionId="$commit"
publish src/SandboxHost "$into/sandbox-host" -p:SourceRevisionId="$commit"
say "The programs of $commit are in $into."
