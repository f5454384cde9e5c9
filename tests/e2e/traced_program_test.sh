#!/usr/bin/env bash
# A program traces itself; a JSON reader that knows nothing of it finds the file to be as the format wants it. What it prints
# are the metrics of its two hubs.
set -euo pipefail
program=$1
checker=$2
trace=$TEST_TMPDIR/trace.json

"$program" "$trace" > "$TEST_TMPDIR/metrics"
grep -q '^verdant_hub_up{hub="1",thread="traced_program"} 1$' "$TEST_TMPDIR/metrics"
grep -q '^verdant_hub_up{hub="2",thread="crew-0"} 1$' "$TEST_TMPDIR/metrics"
python3 "$checker" "$trace" main hub server $'client "one"\n' reader sleep poll

rm "$trace"
status=0
"$program" "$trace" crash &> /dev/null || status=$?
if [[ $status -ne $((128 + 6)) ]]; then
  echo "died of something else than SIGABRT: $status" >&2
  exit 1
fi
python3 "$checker" "$trace" main server culprit

status=0
"$program" /nonexistent/trace.json > /dev/null 2> "$TEST_TMPDIR/error" || status=$?
[[ $status -eq 1 ]]
grep -q "cannot create /nonexistent/trace.json: No such file or directory" "$TEST_TMPDIR/error"
