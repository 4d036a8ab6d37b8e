#!/usr/bin/env bash
# How long decision requests take, open loop, beside a stream of events; in one process, on the embedded log and on a broker of its own.
#   requests.sh [--rate 2000] [--events 20000] [--seconds 20] [--log embedded|kafka]... [--reply committed|decided]...
#               [--set PATH=VALUE]... [--client KEY=VALUE]...
# With --nodes, --protocol or --saturate: in an Akka cluster of so many processes on a broker of its own, asked at random nodes over HTTP
# (JSON), or by gRPC with --protocol grpc.
#   requests.sh --nodes 2 [--rate 2000] ...          local requests and those passed on to another node, apart
#   requests.sh --protocol grpc [--nodes 1] ...      the same by gRPC
#   requests.sh [--nodes 1] --saturate [--rate 500]  a quarter more requests/s each time, until p99 passes 100 ms or some are not served
#
# --client is a setting of the Kafka client, as under kafka.settings. Prints p50, p99, p99.9 and the longest, from the moment at which a
# request was due. Needs KAFKA_HOME or ../shared/kafka, and Java 17, for all but --log embedded.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^[^#]/{/^#/p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
exec dotnet run -c Release --project "$here/StreamEngine.Benchmarks" -- requests "$@"
