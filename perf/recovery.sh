#!/usr/bin/env bash
# How fast real processes come back: recovery.sh [--profiles 1000000] [--rounds 3] [--workers 1] [--partitions 4] [--load 2000]
#
#   perf/recovery.sh --profiles 50000 --rounds 1      a quick look (a minute)
#   perf/recovery.sh                                  restore of 1,000,000 profiles from files and from the topic, kill -9 of the only
#                                                     process and of one of two (5 to 8 minutes)
#
# --load is the number of events per second while processes are killed. Needs a broker of its own: KAFKA_HOME, or ../shared/kafka beside
# the repository, and Java 17.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^[^#]/{/^#/p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
exec dotnet run -c Release --project "$here/StreamEngine.Benchmarks" -- recovery "$@"
