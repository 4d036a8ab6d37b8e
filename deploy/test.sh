#!/usr/bin/env bash
# Sets up what is missing and runs all tests: deploy/test.sh [dotnet test arguments, e.g. --filter NAME]
#
# The last line says how many passed, failed and were skipped; what was skipped is listed with its reason. Results: TestResults/*.trx
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
mkdir -p TestResults
export DOTNET_DbgEnableMiniDump=1 DOTNET_EnableCrashReportOnly=1 DOTNET_DbgMiniDumpName="$root/TestResults/crash.%p"
# One project after another: broker, JVM and engine share few cores.
for project in tests/StreamEngine.Tests tests/StreamEngine.ContractTests tests/StreamEngine.SystemTests; do
  # A test that hangs for five minutes ends its run as failed, and is named.
  dotnet test "$project" -c Release --no-build --nologo -v quiet --blame-hang-timeout 5m \
    --blame-hang-dump-type none --logger "trx;LogFileName=${project#*/}.trx" --results-directory TestResults "$@" && continue
  failed=1
  # A run that was ended left tests undone: they are counted as failed, by name.
  if [[ $# == 0 ]] && { ! [[ -f TestResults/${project#*/}.trx ]] || compgen -G 'TestResults/*/Sequence_*.xml' > /dev/null; }; then
    dotnet test "$project" -c Release --no-build --nologo -v quiet --list-tests |
      sed -n 's/^    //p' > "TestResults/${project#*/}.list"
  fi
done
if [[ $# == 0 ]]; then expected=(--expect=StreamEngine.Tests --expect=StreamEngine.ContractTests --expect=StreamEngine.SystemTests); fi
python3 deploy/test_summary.py TestResults "${expected[@]}" || failed=1
exit $failed
