#!/usr/bin/env bash
# Sets up what is missing and runs all tests: deploy/test.sh [dotnet test arguments, e.g. --filter NAME]
#
# The last line says how many passed, failed and were skipped; what was skipped is listed with its reason. Results: TestResults/*/*.trx
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,4p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
cd "$root"
deploy/setup.sh --oracles --servers
dotnet build StreamEngine.sln -c Release -v quiet --nologo -clp:NoSummary
rm -rf TestResults
failed=0
expected=()
# A test host that crashes, in a native library above all, leaves the frames of each thread, which the summary tells.
mkdir TestResults
export DOTNET_DbgEnableMiniDump=1 DOTNET_EnableCrashReportOnly=1 DOTNET_DbgMiniDumpName="$root/TestResults/crash.%p"
# Engines under test live for seconds: what the runtime spends to learn which paths are hot, a tenth of the CPU, never pays there.
export DOTNET_TieredPGO=0
# run NAME PROJECT HANG [dotnet test arguments]: a test that hangs for that long ends its run as failed, and is named.
run() {
  local name=$1 project=$2 hang=$3
  shift 3
  dotnet test "tests/$project" -c Release --no-build --nologo -v quiet --blame-hang-timeout "$hang" --blame-hang-dump-type none \
    --logger "trx;LogFileName=$name.trx" --results-directory "TestResults/$name" "$@" && return
  # A run that was ended left tests undone: they are counted as failed, by name.
  local results=TestResults/$name
  if ! [[ -f $results/$name.trx ]] || compgen -G "$results/*/Sequence_*.xml" > /dev/null; then
    dotnet test "tests/$project" -c Release --no-build --nologo -v quiet --list-tests "$@" | sed -n 's/^    //p' > "$results/$name.list"
  fi
  return 1
}
# One project after another: broker, JVM and engine share few cores.
if [[ $# == 0 ]]; then
  expected=(--expect=StreamEngine.Tests --expect=StreamEngine.ContractTests --expect=StreamEngine.SystemTests --expect=Computing)
  run StreamEngine.Tests StreamEngine.Tests 5m --filter 'Category!=Computing' || failed=1
  run StreamEngine.ContractTests StreamEngine.ContractTests 5m || failed=1
  # The system tests wait a lot. What only computes, with no clock but its own, takes the time that they leave.
  nice -n 19 bash -c "$(declare -f run); run Computing StreamEngine.Tests 30m --filter Category=Computing" \
    > TestResults/computing.out 2>&1 &
  computing=$!
  run StreamEngine.SystemTests StreamEngine.SystemTests 5m || failed=1
  wait $computing || failed=1
  cat TestResults/computing.out
else
  for project in StreamEngine.Tests StreamEngine.ContractTests StreamEngine.SystemTests; do
    run "$project" "$project" 5m "$@" || failed=1
  done
fi
python3 deploy/test_summary.py TestResults "${expected[@]}" || failed=1
exit $failed
