#!/usr/bin/env bash
# What the edges take, with a real engine on a broker of its own: events in over HTTP, decisions out to pages, actions out to a partner.
#   edges.sh collector [--seconds 20] [--batch 100] [--connections 8]     events/s over POST /v1/events, and per CPU second
#   edges.sh live [--listeners 1000] [--events 500] [--seconds 20]        event to the page that listens (SSE): p50, p99, p99.9, and memory
#   edges.sh webhook [--actions 50000] [--parallelism 16] [--stall S]     deliveries/s to a partner that answers at once, or is away for S s
#
# All take --set PATH=VALUE for the engine (perf/edges/streamengine.yaml). Engine, broker, partner and generator share the machine.
# Needs KAFKA_HOME or ../shared/kafka, and Java 17; 10,000 listeners need some 10,100 open files on each side (ulimit -n).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ $# -gt 0 && $1 != -h && $1 != --help ]] || { sed -n '2,/^[^#]/{/^#/p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
exec dotnet run -c Release --project "$here/StreamEngine.Benchmarks" -- "$@"
