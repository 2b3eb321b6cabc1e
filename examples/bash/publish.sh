#!/usr/bin/env bash
# Reports a loop to wcc: `WCC_URL=http://127.0.0.1:8400 WCC_TOKEN=… ./publish.sh 20`
set -euo pipefail
total=${1:-20}
call() { curl --silent --show-error --fail-with-body -H "authorization: Bearer $WCC_TOKEN" "$@"; }
operations=$WCC_URL/api/operations
id=$(call --json '{"action": "count_sheep", "subject": {"kind": "flock", "name": "merino"}, "total": '"$total"'}' \
  "$operations" | sed -E 's/.*"operation":\{"id":"([a-z2-7]{26})".*/\1/')
trap 'call --json "{\"state\": \"failed\", \"error\": {\"code\": \"failed\", \"message\": \"line $LINENO\"}}" "$operations/$id/end" >/dev/null' ERR
for ((sheep = 1; sheep <= total; sheep += 1)); do
  sleep 0.1
  call -X PATCH --json "{\"done\": $sheep}" "$operations/$id/progress" >/dev/null
done
call --json '{"state": "succeeded"}' "$operations/$id/end" >/dev/null
