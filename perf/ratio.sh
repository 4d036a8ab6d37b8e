#!/usr/bin/env bash
# What a setting costs: the measured job under two configs, A B B A ..., over one topic of one broker.
#   ratio.sh [--events 2000000] [--customers 100000] [--rounds 5] [--a SETTING]... [--b SETTING]...
#
#   perf/ratio.sh                        no checkpoints against both kinds every 2 s (2 to 4 minutes)
#   perf/ratio.sh --a runtime.commit_interval=100ms --b runtime.commit_interval=20ms         any two configs
#   perf/ratio.sh --b checkpoints.interval=2s --a checkpoints.interval=0s                    files only
#
# A setting is PATH=VALUE as for --set; {run} in it becomes the run's name, and topic {run}-checkpoints is there. Prints each run, the
# medians and B / A: CPU, events per second, bytes allocated per event (the start's divided among them), and p99s.
# Needs a broker of its own: KAFKA_HOME, or ../shared/kafka beside the repository, and Java 17.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^[^#]/{/^#/p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
exec dotnet run -c Release --project "$here/StreamEngine.Benchmarks" -- ratio "$@"
