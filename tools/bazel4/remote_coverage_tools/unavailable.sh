#!/bin/sh
echo "coverage needs Bazel 7: the distribution's 4.2.3 has no coverage tools" >&2
exit 1
