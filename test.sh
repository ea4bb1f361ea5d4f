#!/usr/bin/env bash
# Sets everything up and runs all tests; `./test.sh journey faults` runs the suites named:
# modules web walking-skeleton conformance faults simulation cluster chaos journey browser. Closes with `N passed, N failed`.
# Ends with 1 when anything failed. Says so when it took more minutes than COORDINATOR_TEST_MINUTES, which .ci/run sets, allows.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/setup.sh

all=(modules web walking-skeleton conformance faults simulation cluster chaos journey browser)
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=("${all[@]}")
for suite in "${suites[@]}"; do
  case " ${all[*]} " in *" $suite "*) ;; *) fail "test.sh: there is no suite '$suite'; the suites are: ${all[*]}" ;; esac
done
wants() { case " ${suites[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

need_dotnet
need_node
need_system_programs false bwrap:bubblewrap git:git rg:ripgrep
wants conformance && need_system_programs false python3:python3
wants browser && need_system_programs false chromium:chromium
{ install_npm_packages .; build_web; } &
web=$!
build_box
wait "$web"
if wants cluster || wants chaos || wants journey || wants browser; then build_programs; fi
say "Building the tests …"
dotnet build Coordinator.sln -c Release -v q --nologo >&2

export COORDINATOR_BOX_PROGRAM="$PWD/artifacts/box/coordinator-box"
export COORDINATOR_OPENCODE="$PWD/node_modules/$(opencode_package)/bin/opencode"
export COORDINATOR_HOST="$PWD/artifacts/host/Coordinator.Host.dll"
export COORDINATOR_SANDBOX_HOST="$PWD/artifacts/sandbox-host/Coordinator.SandboxHost.dll"
export COORDINATOR_WEB="$PWD/src/Web/dist"

passed=0 failed=0 broken=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT

export COORDINATOR_TEST_SEED="${COORDINATOR_TEST_SEED:-$RANDOM}"
say "Test data is made from seed $COORDINATOR_TEST_SEED (COORDINATOR_TEST_SEED=$COORDINATOR_TEST_SEED makes it again)."

# tally <passed> <failed> <suite> <exit code>: a suite that reports no test has not run, and one that failed without a failed test is broken.
tally() {
  passed=$((passed + $1)) failed=$((failed + $2))
  if [ $(($1 + $2)) = 0 ]; then broken+=("$3: no test ran")
  elif [ "$2" = 0 ] && [ "$4" != 0 ]; then broken+=("$3: ended with $4 though no test failed"); fi
}

run_dotnet() { # suite project
  local status=0
  say "── $1"
  dotnet test "tests/$2" -c Release --no-build --nologo --blame-hang-timeout 5m --logger "console;verbosity=minimal" 2>&1 | tee "$log" || status=$?
  tally "$(sed -n 's/.*- Failed: *[0-9]*, Passed: *\([0-9]*\),.*/\1/p' "$log" | awk '{s+=$1} END {print s+0}')" \
        "$(sed -n 's/.*- Failed: *\([0-9]*\), Passed:.*/\1/p' "$log" | awk '{s+=$1} END {print s+0}')" "$1" "$status"
  grep -q 'Test Run Aborted\|The active test run was aborted' "$log" && broken+=("$1: aborted") || true
  grep -q 'Cleanup Failure' "$log" && broken+=("$1: what the tests leave behind, or how their host ended, is not as it should be") || true
}

run_simulation() {
  export COORDINATOR_SIMULATION_REPORT; COORDINATOR_SIMULATION_REPORT=$(mktemp)
  run_dotnet simulation Simulation
  cat "$COORDINATOR_SIMULATION_REPORT"
  rm -f "$COORDINATOR_SIMULATION_REPORT"
}

run_web() { # suite script
  local status=0
  say "── $1"
  (cd src/Web && NO_COLOR=1 npm run "$2" --silent 2>&1) | tee "$log" || status=$?
  tally "$(sed -n 's/^ *Tests .*[^0-9]\([0-9][0-9]*\) passed.*/\1/p' "$log" | tail -1 | grep . || echo 0)" \
        "$(sed -n 's/^ *Tests .*[^0-9]\([0-9][0-9]*\) failed.*/\1/p' "$log" | tail -1 | grep . || echo 0)" "$1" "$status"
}

for suite in "${suites[@]}"; do
  case "$suite" in
    modules) run_dotnet modules Modules ;;
    web) run_web web test ;;
    walking-skeleton) run_dotnet walking-skeleton WalkingSkeleton ;;
    conformance) run_dotnet conformance Conformance ;;
    faults) run_dotnet faults Faults ;;
    simulation) run_simulation ;;
    cluster) run_dotnet cluster Cluster ;;
    chaos) run_dotnet chaos Chaos ;;
    journey) run_dotnet journey Journey ;;
    browser) run_dotnet browser Browser; run_web 'browser, against a scripted host' test:browser ;;
  esac
done

for line in "${broken[@]:-}"; do [ -z "$line" ] || { echo "$line"; failed=$((failed + 1)); }; done
took=$SECONDS
echo "All of it took $((took / 60)) min $((took % 60)) s, setting up and building included."
if [ -n "${COORDINATOR_TEST_MINUTES:-}" ] && [ "$took" -gt $((COORDINATOR_TEST_MINUTES * 60)) ]; then
  echo "TOO SLOW: it may take $COORDINATOR_TEST_MINUTES minutes (COORDINATOR_TEST_MINUTES)."
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
