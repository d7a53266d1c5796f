#!/bin/bash
# What there is to see on a machine with a CUDA device, in minutes: parity, kernels, training steps, a short chain.
# Runs in an unpacked kit (./dev kit), which has this file and all it needs but LibTorch; the python3 there has torch 2.11.
#   bash tests/bench/on_device.sh [FOLDER of pictures, train/ and test/] > log
# Nothing stops it: every part is tried, and says how it ended.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
pictures=${1:-}
torch=$(python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")')
[ -n "$torch" ] || { echo "python3 has no torch: its LibTorch is what the programs run with" >&2; exit 1; }
export OMP_WAIT_POLICY=passive

# The program's own libraries must not get in the way of Python's.
run() { LD_LIBRARY_PATH="$PWD/so:$torch/lib" timeout "$@"; local code=$?; [ $code -eq 0 ] || echo "ended with $code: $*"; }
part() { printf '\n## %s (%s)\n\n' "$1" "$(date +%T)"; }

nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
part "parity"
for plugin in distillation early_exit pruning quantization; do
    echo "$plugin"
    run 60 "bin/parity_${plugin}_gpu_test" 2>&1 | tail -12
done
part "recorded steps"
# In a process of its own: the threads of autograd must not have begun before the device is opened.
run 60 bin/train_test -tc='recorded step: on a device*' 2>&1 | tail -20
part "kernels"
run 60 bin/gpu_kernels_bench
part "training steps, ms"
small="--depth 8 --width 8 --steps 300 --cuda 1"
wide="--width 64 --channels 3 --side 32 --steps 100 --cuda 1"
for work in "$small" "--depth 18 $wide" "--depth 34 $wide"; do
    for bfloat16 in 0 1; do
        for graph in 0 1; do
            echo "topress $work --bfloat16 $bfloat16 --graph $graph"
            # shellcheck disable=SC2086 # a list of arguments
            run 60 bin/train_step $work --bfloat16 $bfloat16 --graph $graph
        done
        echo "PyTorch, the same"
        # shellcheck disable=SC2086
        timeout 60 python3 tests/bench/peers/train.py $work --bfloat16 $bfloat16
    done
done
if [ -n "$pictures" ]; then
    part "the chain of resnet34-cifar10-jpeg, epochs cut short"
    epochs=(baseline=4 technique.student=3 technique.channel=0.5 technique.heal=2 technique.qat=1 technique.recovery=2
            technique.confidence=1)
    settings=()
    for each in "${epochs[@]}"; do settings+=(--set "${each%=*}.epochs=${each#*=}"); done
    for graph in false true; do
        echo "train.cuda_graph = $graph"
        run 120 bin/topress run configs/reproduce/resnet34-cifar10-jpeg.toml --set "data.path=$pictures" --no-cache --profile \
            --output "chain-$graph" --set "train.cuda_graph=$graph" "${settings[@]}" --log-level debug 2>&1 | tail -75
    done
fi
part "end"
