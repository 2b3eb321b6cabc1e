#!/usr/bin/env bash
# Follows one operation to its end: `WCC_URL=http://127.0.0.1:8400 WCC_TOKEN=… ./watch.sh ID`
set -euo pipefail
curl --silent --show-error --fail-with-body --no-buffer -H "authorization: Bearer $WCC_TOKEN" \
  "$WCC_URL/api/operations/$1/events" |
  sed --unbuffered -nE 's/^data: .*"state":"([a-z]+)".*"done":([0-9]+),.*/\1 \2/p; t; s/^data: .*"state":"([a-z]+)".*/\1/p'
