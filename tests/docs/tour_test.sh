#!/usr/bin/env bash
# A program stands in the tour to the letter, followed by what it prints:   tour_test.sh TOUR SOURCE PROGRAM
set -euo pipefail
expected=$(
  printf '```cpp\n%s\n```\n\n```text\n%s\n```\n' "$(< "$2")" "$("$3")"
)
if [[ $(< "$1") != *"$expected"* ]]; then
  printf 'the tour does not have this:\n%s\n' "$expected"
  exit 1
fi
