#!/usr/bin/env bash
# The echo server of its own accord: serves whoever comes on the port it says, and ends at SIGINT.   echo_server_test.sh PROGRAM
set -uo pipefail
output="$TEST_TMPDIR/output"
"$1" 0 > "$output" &
server=$!
trap 'kill "$server" 2>/dev/null' EXIT
until port=$(sed -n 's/^listening on port //p' "$output") && [ -n "$port" ]; do
  kill -0 "$server" || { echo "it ended before it listened"; exit 1; }
  sleep 0.05
done
exec 3<>"/dev/tcp/127.0.0.1/$port" 4<>"/dev/tcp/127.0.0.1/$port" || exit 1
for line in "one" "two words" ""; do
  for client in 3 4; do
    echo "$line" >&"$client"
    IFS= read -r -t 60 answer <&"$client" || { echo "no answer to '$line'"; exit 1; }
    [ "$answer" = "$line" ] || { echo "'$answer' instead of '$line'"; exit 1; }
  done
done
exec 3<&- 3>&-
kill -INT "$server"  # with one client still there
wait "$server"
status=$?
trap - EXIT
cat "$output"
[ $status -eq 0 ] || { echo "exit status $status"; exit 1; }
[ "$(grep -c '^a client has come$' "$output")" = 2 ] || exit 1
[ "$(grep -c '^sent back: two words$' "$output")" = 2 ] || exit 1
[ "$(tail -n 1 "$output")" = "the server ends: OK" ]
