#!/usr/bin/env bash
# Sets up what is missing and runs all tests: deploy/test.sh [dotnet test arguments, e.g. --filter NAME]
#
# The last line says how many passed, failed and were skipped; what was skipped is listed with its reason. Results: TestResults/*.trx
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,4p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
cd "$root"
deploy/setup.sh --oracles
dotnet build StreamEngine.sln -c Release -v quiet --nologo -clp:NoSummary
rm -rf TestResults
expected=()

# One project's tests. A test that hangs for five minutes ends its run as failed, and is named.
run() {
  local project=$1
  shift
  dotnet test "$project" -c Release --no-build --nologo -v quiet --blame-hang-timeout 5m \
    --blame-hang-dump-type none --logger "trx;LogFileName=${project#*/}.trx" --results-directory TestResults "$@" && return
  # A run that was ended left tests undone: they are counted as failed, by name.
  if [[ $# == 0 ]] && { ! [[ -f TestResults/${project#*/}.trx ]] || compgen -G 'TestResults/*/Sequence_*.xml' > /dev/null; }; then
    dotnet test "$project" -c Release --no-build --nologo -v quiet --list-tests |
      sed -n 's/^    //p' > "TestResults/${project#*/}.list"
  fi
  return 1
}

# The contract tests mostly wait, for a broker or for faults to pass, and the unit tests compute: side by side. The system tests have the
# machine to themselves: broker, JVM and several engines share few cores.
failed=0
mkdir -p TestResults
run tests/StreamEngine.ContractTests "$@" > TestResults/contract.log 2>&1 &
contract=$!
run tests/StreamEngine.Tests "$@" || failed=1
wait "$contract" || failed=1
cat TestResults/contract.log
run tests/StreamEngine.SystemTests "$@" || failed=1
if [[ $# == 0 ]]; then expected=(--expect=StreamEngine.Tests --expect=StreamEngine.ContractTests --expect=StreamEngine.SystemTests); fi
python3 deploy/test_summary.py TestResults "${expected[@]}" || failed=1
exit $failed
