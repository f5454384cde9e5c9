#!/usr/bin/env bash
# The tour has as many pieces of C++ as are said to be tested:   tour_programs_test.sh TOUR NUMBER
set -euo pipefail
found=$(grep -c '^```cpp' "$1")
[ "$found" = "$2" ] || { echo "$found pieces of C++, and tests of $2"; exit 1; }
