#!/usr/bin/env bash
# Compares the engine with other stream processors on one job, in one run, on one broker: compare.sh [EVENTS] [CUSTOMERS] [ROUNDS]
#
#   perf/compare.sh 8000000 100000 3      the comparison whose figures are quoted (some 15 minutes)
#   perf/compare.sh 300000 5000 1         a quick check of the output
#   VERSUS="requests cluster" perf/compare.sh 20000000 100000 3     what the Akka cluster costs, beside the same without it
#
# Needs the comparison kit (STREAMENGINE_PEERS, else ../shared/peers beside the repository) and a JDK 17. Environment: SEED sets the
# input's seed, VERSUS the programs beside the engine ('none' for none; 'requests' is the engine when it takes requests and none
# comes, 'cluster' the same as a cluster of one process), CHECKPOINTS how often the engine begins a checkpoint in its files and in a
# topic ('2s'; 'none' for none). Figures are CPU seconds per million events and ratios; absolute ones move with the machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^[^#]/{/^#/p}' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 0; }
kit=${STREAMENGINE_PEERS:-$here/../../shared/peers}
[[ -x $kit/peers ]] || { echo "compare: no comparison kit at $kit. Set STREAMENGINE_PEERS to its folder." >&2; exit 2; }
"$here/../deploy/streamengine" --version > /dev/null   # builds, so that the build is not measured
export STREAMENGINE="$here/../deploy/streamengine" JOB="$here/job/streamengine.yaml" KAFKA_BROKER="$kit/../kafka/broker"
fields=event_id=cause.event_id,offer=chosen.offer,probability=chosen.p,features=features
export CHECK_ARGS_streamengine="--header 5 --schema $here/../schemas/decision.avsc --fields $fields"
export CHECK_ARGS_streamengine_cluster=$CHECK_ARGS_streamengine CHECK_ARGS_streamengine_requests=$CHECK_ARGS_streamengine
ours=("streamengine=$here/job/run.sh")
peers=()
for name in ${VERSUS-kafka-streams-rocksdb kafka-streams-memory flink-heap}; do
  case $name in
    requests) ours+=("streamengine-requests=REQUESTS=on $here/job/run.sh") ;;
    cluster) ours+=("streamengine-cluster=CLUSTER=on $here/job/run.sh") ;;
    *) peers+=("$name") ;;
  esac
done
export VERSUS="${peers[*]:-none}"
exec "$kit/peers" versus "${1:-8000000}" "${2:-100000}" "${3:-3}" "${ours[@]}"
