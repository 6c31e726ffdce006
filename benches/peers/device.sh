#!/usr/bin/env bash
# Measures a device in one call: compares the results of splat with the reference files, and times
# splat and gsplat on the same workloads.
#
#   device.sh PROGRAMS REFERENCES WORKLOADS [wgpu|cuda]
#
# PROGRAMS: a folder with the release builds of `verify` (an example of splat) and `throughput` (of
# benches), built with the feature of the backend.
# REFERENCES: a folder of reference files.
# WORKLOADS: a folder of the files garden_648, garden_1296 and batch1024 that `throughput --export`
# wrote.
# The variable SCENES names other workloads, ROUNDS sets the number of repetitions. gsplat is timed
# on cuda if `python3 -c 'import gsplat'` succeeds.
set -euo pipefail
programs=$1 references=$2 workloads=$3 backend=${4:-cuda}
scenes=${SCENES:-garden_648 garden_1296 batch1024}
rounds=${ROUNDS:-30}
here=$(cd "$(dirname "$0")" && pwd)

files=()
arguments=()
for scene in $scenes; do
    files+=("$workloads/$scene.safetensors")
    arguments+=(--workload "$workloads/$scene.safetensors")
done

for regime in small large; do
    echo "== verify, $regime regime"
    "$programs/verify" --backend "$backend" --regime "$regime" "$references"/*.safetensors | tail -1
done
echo "== splat"
"$programs/throughput" --backend "$backend" --rounds "$rounds" "${arguments[@]}"
if [ "$backend" = cuda ] && python3 -c 'import gsplat' 2>/dev/null; then
    echo "== gsplat"
    (cd "$here" && python3 gsplat_cuda.py --repeat "$rounds" "${files[@]}")
else
    echo "== gsplat: left out (no CUDA device asked for, or not installed)"
fi
