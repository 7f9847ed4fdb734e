#!/usr/bin/env bash
# Runs the fuzz targets of native/fuzz side by side, under libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer:
#   scripts/fuzz.sh [60s | 2000000] [target...]     so long, or so many executions each; default 60s, all targets
# Starts from native/fuzz/corpus; what it finds new goes to build-cmake/fuzz/corpus, inputs that fail to
# build-cmake/fuzz/findings. A finding that has been mended belongs in native/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."

amount=${1:-60s}
case $amount in
  *s) limit=-max_total_time=${amount%s} ;;
  *) limit=-runs=$amount ;;
esac
targets=("${@:2}")
if [ "${#targets[@]}" -eq 0 ]; then
  for source in native/fuzz/*_fuzz.cc; do targets+=("$(basename "$source" _fuzz.cc)"); done
fi

build=build-cmake/fuzz
cmake -S . -B "$build" -DCMAKE_CXX_COMPILER="${CXX:-clang++-14}" -DINTERPROC_FUZZ=ON \
  -DINTERPROC_SANITIZE=address,undefined -DINTERPROC_FAULTS=ON >/dev/null
cmake --build "$build" --target native_fuzz --parallel "$(nproc)" >/dev/null

# As in test-native.mjs: shadow memory and address randomisation collide.
without_aslr=()
if setarch -R true 2>/dev/null; then without_aslr=(setarch -R); fi
# Stacks of allocations are a third of the time.
export ASAN_OPTIONS=malloc_context_size=2:quarantine_size_mb=16:${ASAN_OPTIONS:-}

mkdir -p "$build/findings" "$build/logs"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' INT TERM
for target in "${targets[@]}"; do
  mkdir -p "$build/corpus/$target"
  "${without_aslr[@]}" "$build/${target}_fuzz" "$limit" -timeout=10 -max_len=256 -detect_leaks=0 -print_final_stats=1 \
    -artifact_prefix="$build/findings/$target-" "$build/corpus/$target" "native/fuzz/corpus/$target" \
    >"$build/logs/$target" 2>&1 &
  pids+=($!)
done

failed=0
total=0
for i in "${!targets[@]}"; do
  log=$build/logs/${targets[$i]}
  if ! wait "${pids[$i]}"; then
    failed=$((failed + 1))
    grep -v '^#' "$log" | tail -n 60
  fi
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  total=$((total + ${executions:-0}))
  echo "${targets[$i]}: ${executions:-?} executions"
done
echo "fuzz: $total executions, $failed of ${#targets[@]} targets failed"
[ "$failed" -eq 0 ]
