#!/usr/bin/env bash
# Everything a checkout needs to be tested: installs and builds it, runs the native and the TypeScript tests, then the npm
# scripts named as arguments, and closes with the sum of all: `N passed, N failed`.
#   scripts/test-all.sh [lint] [types] [test:asan] [test:tsan]
set -euo pipefail
cd "$(dirname "$0")/.."

# Node's headers often lie beside node itself; node-gyp would download them all the same.
node_prefix=$(node -p "require('path').resolve(process.execPath, '../..')")
if [ -z "${npm_config_nodedir:-}" ] && [ -f "$node_prefix/include/node/uv.h" ]; then
  export npm_config_nodedir="$node_prefix"
fi

# Without the addon most of it would be about something else.
export INTERPROC_REQUIRE_ADDON=1

rm -rf test-results
mkdir test-results
failed_steps=()
step() {
  echo "--- $1"
  npm run --silent "$1" || failed_steps+=("$1")
}

if [ node_modules/.package-lock.json -nt package-lock.json ]; then
  step build
else
  npm ci || failed_steps+=('npm ci')
fi
if [ "${#failed_steps[@]}" -eq 0 ]; then
  for name in test:native test:ts "$@"; do
    step "$name"
  done
fi

echo '---'
node scripts/sum-results.mjs "${failed_steps[@]}"
