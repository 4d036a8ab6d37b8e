#!/usr/bin/env bash
# What the Akka cluster takes while nothing happens: start-up to the first answer and until ready, CPU and memory at rest; without a
# cluster, as the only node of one, and as the second one.
#   cluster-rest.sh [--rounds 3] [--seconds 30] [--set PATH=VALUE]...
#
# Needs a broker of its own: KAFKA_HOME, or ../shared/kafka beside the repository, and Java 17.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^[^#]/{/^#/p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
exec dotnet run -c Release --project "$here/StreamEngine.Benchmarks" -- rest "$@"
