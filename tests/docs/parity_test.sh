#!/usr/bin/env bash
# docs/parity.md keeps its word: no cell is empty, every test file it links to exists, and for rows A0-A12, B1-B8 and C1-C18
# each of those files has a test with the row's id in its name (A1.10 as A1_10), unless the row says why there can be none.
set -euo pipefail
table=docs/parity.md
problems=0
rows=0

complain() {
  echo "row $1: $2"
  problems=$((problems + 1))
}

while IFS='|' read -r _ id what where shown rest; do
  id=${id//[[:space:]]/}
  rows=$((rows + 1))
  for cell in "$what" "$where" "$shown"; do
    [ -n "${cell//[[:space:]]/}" ] || complain "$id" "an empty cell"
  done
  [ -z "${rest//[[:space:]]/}" ] || complain "$id" "more than four cells"
  mapfile -t files < <(grep -oE '\]\(\.\./tests/[^)]*\)' <<< "$shown" | sed 's/^](\.\.\///; s/)$//')
  for file in "${files[@]}"; do
    [ -f "$file" ] || complain "$id" "there is no $file"
  done

  # From A13 on rows may still be coarser than the tests.
  [[ $id =~ ^(A([0-9]|1[0-2])|B[1-8]|C[0-9]+)(\.[0-9]+)?$ ]] || continue
  case "$where|$shown" in
    *"n/a:"* | *"no umbrella header"* | *"comes with "* | *"not built yet"*) continue ;;
  esac
  [ ${#files[@]} -gt 0 ] || complain "$id" "no test is named"
  for file in "${files[@]}"; do
    [ -f "$file" ] || continue
    grep -qE "^(TYPED_)?TEST(_F|_P)?\(.*[ _(]${id/./_}([^0-9]|$)" "$file" || complain "$id" "no test in $file is named by it"
  done
done < <(grep -E '^\| [A-C][0-9]' "$table")

[ "$rows" -gt 200 ] || complain "-" "only $rows rows were understood"
[ "$problems" -eq 0 ]
