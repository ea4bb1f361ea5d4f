#!/usr/bin/env bash
# Measures what docs/benchmarks.md lists, prints one table and writes artifacts/bench.json. Ends with 1 when a target is missed.
#
#   bench/run.sh                    everything, about nineteen minutes
#   bench/run.sh events throughput  some of: dispatch events relay throughput fanout flood storm idle asleep create append paced whole takeover host
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

need_dotnet
say "Building the benchmark and the host …"
publish bench/Coordinator.Bench artifacts/bench --disable-build-servers # which would go on computing beside what is measured
host=artifacts/bench-host # not run.sh's folder: its stamp stands for more than the host
if changed "$host/.stamp" src Directory.Build.props Directory.Packages.props; then
  publish src/Host "$host" --disable-build-servers
  stamp "$host/.stamp"
fi
exec artifacts/bench/Coordinator.Bench "$PWD/$host/Coordinator.Host.dll" "$PWD/artifacts/bench.json" "$@"
