#!/usr/bin/env bash
# How long decision requests take in one process, open loop, beside a stream of events; on the embedded log and on a broker of its own.
#   requests.sh [--rate 2000] [--events 20000] [--seconds 20] [--log embedded|kafka]... [--reply committed|decided]...
#               [--set PATH=VALUE]... [--client KEY=VALUE]...
#
# --client is a setting of the Kafka client, as under kafka.settings. Prints p50, p99, p99.9 and the longest, from the moment at which a
# request was due. Needs KAFKA_HOME or ../shared/kafka, and Java 17, for --log kafka.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^[^#]/{/^#/p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
exec dotnet run -c Release --project "$here/StreamEngine.Benchmarks" -- requests "$@"
