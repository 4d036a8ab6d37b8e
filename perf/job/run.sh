#!/usr/bin/env bash
# Runs the job once over what is in topic $IN of the broker $BOOTSTRAP, as group $RUN, into topic $OUT, and prints a RESULT line.
# $CHECKPOINTS is how often checkpoints begin, in files and in a topic (2s where it is not set); 'none' keeps none.
# REQUESTS=on: it takes requests, and none comes. CLUSTER=on: it takes requests and forms an Akka cluster by itself.
set -euo pipefail
overrides=(--set "name=$RUN" --set "events.shop.topic=$IN" --set "outputs.decisions=$OUT" --set "outputs.dead_letter=$RUN-dead-letter"
  --set "outputs.late=$RUN-late" --set "state.directory=$STATE")
checkpoints=${CHECKPOINTS:-2s}
if [[ $checkpoints == none ]]; then overrides+=(--set checkpoints.interval=0s)
else overrides+=(--set "checkpoints.interval=$checkpoints" --set "checkpoints.topic=$RUN-checkpoints"); fi
if [[ ${REQUESTS:-} == on || ${CLUSTER:-} == on ]]; then
  overrides+=(--set requests.enabled=true --set runtime.wrong_partition=refuse)
fi
if [[ ${CLUSTER:-} == on ]]; then
  read -r port http <<< "$(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in sockets])')"
  overrides+=(--set "cluster={address: 127.0.0.1, port: $port, seeds: ['127.0.0.1:$port'], form_after: 1s}" --set "http.port=$http")
fi
"$STREAMENGINE" topics create --config "$JOB" --kafka "$BOOTSTRAP" --partitions 4 "${overrides[@]}" > /dev/null
"$STREAMENGINE" run --config "$JOB" --kafka "$BOOTSTRAP" --drain --json "${overrides[@]}" | python3 -c '
import json, sys
s = json.load(sys.stdin)
print("RESULT peer=streamengine events=%d seconds=%.2f cpu_seconds=%.2f rss_mb=%.0f decisions=%d allocated_bytes=%d" % (
    s["events"], s["seconds"], s["cpu_seconds"], s["peak_rss_mb"], s["decisions"], s["allocated_bytes"]))'
