#!/usr/bin/env bash
# A program ends well and prints what is expected, and nothing else:   output_test.sh PROGRAM EXPECTED
set -euo pipefail
diff "$2" <("$1" 2>&1 || echo "exit status $?")
