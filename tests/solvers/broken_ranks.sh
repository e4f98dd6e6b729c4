#!/bin/sh
# `locum generate` on two ranks, one of which is killed, or finds its disk full, after so many bytes; the same command
# again must make the same files. Prints how each job ended and after how long.
#   broken_ranks.sh MPIEXEC LOCUM FAULTS.so CASE
set -eu
mpiexec=$1 locum=$2 faults=$3 case=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# generate OUTPUT [VARIABLE=VALUE…]: for the ranks alone, not for mpiexec.
generate() {
  output=$1
  shift
  timeout -s KILL 60 "$mpiexec" -n 2 env "$@" "$locum" generate "$case" --output "$output" --threads 1 \
    --set generate.samples=80 --set generate.test_samples=16 --set "generate.cells=[16, 16]" >"$folder/log" 2>&1
}

generate "$folder/whole"
status=0
for kind in kill fail; do
  for rank in 0 1; do
    for byte in 0 1000 30000 70000 100000 150000; do
      rm -rf "$folder/broken"
      start=$(date +%s.%N)
      if generate "$folder/broken" LD_PRELOAD="$faults" LOCUM_FAULT="$kind at byte $byte" LOCUM_FAULT_RANK=$rank; then
        ending=finished  # it wrote less than that
      else
        ending="ended with $?"
      fi
      seconds=$(echo "$(date +%s.%N) - $start" | bc)
      echo "$kind rank $rank at byte $byte: $ending after $seconds s"
      whole=${seconds%.*}
      # A killed rank ends mpiexec with 137, too: only the time tells.
      if [ "${whole:-0}" -ge 60 ]; then echo "  it hung"; status=1; fi
      if [ "$kind" = fail ] && [ "$ending" != finished ] && ! grep -q "No space left on device" "$folder/log"; then
        echo "  without the reason:"; cat "$folder/log"; status=1
      fi
      for file in "$folder"/broken/data/*.h5; do
        [ ! -e "$file" ] || "$locum" info "$file" >/dev/null || { echo "  $file is not whole"; status=1; }
      done
      generate "$folder/broken" A=0 || { echo "  it did not go on"; cat "$folder/log"; status=1; }
      for file in train.h5 test.h5; do
        cmp "$folder/whole/data/$file" "$folder/broken/data/$file" || status=1
      done
      [ "$(ls "$folder/broken/data")" = "$(ls "$folder/whole/data")" ] || { echo "  files left"; status=1; }
    done
  done
done
exit $status
