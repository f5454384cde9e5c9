#!/usr/bin/env bash
# The C++ on the front page is the program under apps/examples, to the letter.
set -euo pipefail
diff <(sed -n '/^```cpp$/,/^```$/p' README.md | sed '1d;$d') apps/examples/crawl_urls.cc
