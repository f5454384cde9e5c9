#!/usr/bin/env bash
# What a search for a failing order prints is enough to have the failure again:   replay_test.sh PROGRAM
set -euo pipefail
fail() { printf '%s\n' "$*"; exit 1; }
seed_line() { grep '^seed ' <<< "$1" || true; }

found=$("$1")
[[ $(seed_line "$found") =~ ^seed\ ([0-9]+):\ (.+)$ ]] || fail "no seed was printed: $found"
seed=${BASH_REMATCH[1]}
[ "$seed" -gt 0 ] || fail "the ordinary order fails already"

# In another process, with that seed alone: the same to the letter, as often as it is asked for.
for _ in 1 2 3; do
  again=$(VERDANT_SEED=$seed "$1")
  [ "$again" = "$found" ] || fail "with VERDANT_SEED=$seed: $again"
done

# The ordinary order, and the seeds that were tried before, do not fail.
for other in $(seq 0 $((seed - 1))); do
  none=$(VERDANT_SEED=$other "$1")
  [ -z "$(seed_line "$none")" ] || fail "with VERDANT_SEED=$other: $none"
done
