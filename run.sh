#!/usr/bin/env bash
# Sets everything up and starts the host on http://localhost:8787 with embedded storage, a local sandbox and a scripted
# demo model. Every later run does only what has changed.
#
#   ./run.sh                 start
#   ./run.sh --unisolated    start even where bubblewrap is missing: agents then run without isolation
#   ./run.sh --setup         set up only
#   ./run.sh -- --Key=Value  settings for the host, as in docs/configuration.md
set -euo pipefail
cd "$(dirname "$0")"
. scripts/setup.sh

unisolated=false setup_only=false
while [ $# -gt 0 ]; do
  case "$1" in
    --unisolated) unisolated=true ;;
    --setup) setup_only=true ;;
    --) shift; break ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option '$1'; see ./run.sh --help" >&2; exit 2 ;;
  esac
  shift
done

need_dotnet
need_node
need_system_programs "$unisolated" bwrap:bubblewrap git:git rg:ripgrep
install_npm_packages .
build_web
build_programs
$setup_only && exit 0

export Demo__Enabled="${Demo__Enabled:-true}"
export Sandbox__Local__BoxProgram="$PWD/artifacts/box/coordinator-box"
export Sandbox__Local__Agents__opencode="$PWD/node_modules/$(opencode_package)/bin/opencode"
export Web__Root="$PWD/src/Web/dist"
$unisolated && export Sandbox__Local__AllowUnisolated=true
exec dotnet artifacts/host/Coordinator.Host.dll "$@"
