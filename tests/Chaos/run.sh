#!/usr/bin/env bash
# Kills and cuts the real thing under load, for as long as it is told: tests/Chaos/run.sh --minutes 30 --seed 7. Builds what it needs,
# but the older release of --upgrade-from, which tests/Chaos/publish-older.sh makes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/setup.sh

need_dotnet
need_node
need_system_programs false bwrap:bubblewrap git:git rg:ripgrep
install_npm_packages .
build_web
build_programs
dotnet build tests/Chaos -c Release -v q --nologo >&2
exec dotnet tests/Chaos/bin/Release/net10.0/Coordinator.Tests.Chaos.dll "$@"
