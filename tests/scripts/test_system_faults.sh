#!/bin/sh
# tests/scripts/test_system_faults.sh - every planted fault, every broken protocol and every illegal scenario is
# noticed, with the right exit code and the history that led there; the same runs without them end clean.
. "$(dirname "$0")/test_system_lib.sh"
mesi=$LABYRINTH_SOURCE/configs/protocols/mesi.yaml

# ---- faults in the kernel, one for each thing that the oracle judges

cat > "$tmp/grant.yaml" <<'YAML'
kind: experiment
title: a grant
machine: { base: tiny, cores: 4 }
kernel: { memory: 16MiB }
agents:
  - { name: owner, on: core0, program: exclusive-alloc, gfp: ATOMIC, exclusive: all, hold: 5us, count: 10 }
  - { name: users, on: core1-2, program: touch-pages, share: write }
  - { name: foreign, on: device0, program: dma-foreign }
YAML
# Two cores: a page in two hands is noticed before the lists are so broken that they lead out of memory.
cat > "$tmp/alloc.yaml" <<'YAML'
kind: experiment
title: allocation
machine: { base: tiny, cores: 2 }
kernel: { memory: 16MiB, allocator: { pcp_high: 8, pcp_batch: 4 } }
agents: [{ name: bulk, on: all, program: alloc-bulk, pages: 50, count: 20 }]
YAML

# planted FAULT KIND FILE [SET...]
planted() {
    fault=$1 kind=$2 file=$3; shift 3
    run 0 "$tmp/$file" "$@"
    run 4 "$tmp/$file" "$@" --plant "$fault"
    json_has '"stop": "violation"'
    json_has "\"kind\": \"$kind\""
    prints "1. Promised ($kind)"
    prints '2. Seen: at .* ns, .*, address 0x'
    prints '3. What led there, oldest first'
    prints 'its last transitions'
}
# What coherence and zeroing do to a line alike must not hide each other's fault: one part alone.
planted skip-own-line coherence grant.yaml --set agents.owner.exclusive=coherence --set agents.users.share=read
planted skip-zero-line secure grant.yaml --set agents.owner.exclusive=secure
planted skip-fence secure grant.yaml
planted skip-lock lock grant.yaml
planted skip-pte-clear device grant.yaml
planted skip-tlb-shootdown device grant.yaml
planted skip-iotlb-invalidate device grant.yaml
planted skip-zone-lock allocator alloc.yaml
planted skip-zone-lock allocator alloc.yaml --set kernel.allocator.type=freelist
planted skip-zone-lock allocator alloc.yaml --set kernel.allocator.type=bitmap
planted skip-cas allocator alloc.yaml --set kernel.allocator.type=llfree
run 2 "$tmp/grant.yaml" --plant skip-nothing

# ---- broken protocols: one row changed

cat > "$tmp/mix.yaml" <<'YAML'
kind: experiment
title: a broken protocol
machine: { base: tiny, llc: { size: 8KiB } }
protocol: ./broken.yaml
kernel: { memory: 16MiB }
checks: { watchdog: 1ms }
agents:
  - { name: mix, on: all, program: random-mix, lines: 200, loads: "45%", atomics: "10%", flushes: "5%", string_stores: "5%", count: 5000 }
YAML
cp "$mesi" "$tmp/broken.yaml"
run 0 "$tmp/mix.yaml"

# broken NAME CODES SED: changes one row, runs, and wants one of the exit codes.
broken() {
    name=$1 codes=$2
    sed "$3" "$mesi" > "$tmp/broken.yaml"
    cmp -s "$mesi" "$tmp/broken.yaml" && { fail "$name: no row was changed"; return; }
    "$LABYRINTH" run "$tmp/mix.yaml" --json "$tmp/json" > "$tmp/out" 2> "$tmp/err"
    code=$?
    case " $codes " in
    *" $code "*) ;;
    *) fail "$name: exit code $code instead of $codes"; head -n 20 "$tmp/out" "$tmp/err"; return;;
    esac
    if [ $code -eq 4 ]; then
        json_has '"kind": "protocol"'
        prints 'its last transitions'
        prints ' > '
    else
        json_has '"stop": "stuck"'
        prints 'who waits for what'
        prints 'waits for\|waits on'
    fi
}
broken 'lost acknowledgement'  5 's/\[S, INV, I, \[SEND_ACK\]\]/[S, INV, I, []]/'
broken 'missed invalidation'   4 's/\[S, INV, I, \[SEND_ACK\]\]/[S, INV, S, [SEND_ACK]]/'
broken 'forgotten sharer'      4 's/\[DBS, DONE, DS, \[REQ_IS_SHARER\]\]/[DBS, DONE, DS, []]/'
broken 'lost write-back'       4 's/\[M, EVICT, MI, \[SEND_PUT\]\]/[M, EVICT, I, []]/'
broken 'dropped data'          4 's/\[DM, PUT_OWNER, DI, \[KEEP_DATA, NO_OWNER/[DM, PUT_OWNER, DI, [NO_OWNER/'
broken 'stale forward'         4 's/\[M, FWD_GETM, I, \[SEND_DATA_M\]\]/[M, FWD_GETM, M, [SEND_DATA_M]]/'
broken 'two owners'            4 's/\[DM, GETM, DBO, \[FWD_GETM_TO_OWNER\]\]/[DM, GETM, DBO, [DATA_M_TO_REQ]]/'
broken 'early ownership'       4 's/\[SM, DATA_ACKS, IMA, \[TAKE_DATA, COUNT_DATA\]/[SM, DATA_ACKS, M, [TAKE_DATA, COUNT_DATA, SEND_DONE, COMPLETE]/'
broken 'owner nobody knows'    4 's/\[DBO, DONE, DM, \[REQ_IS_OWNER\]\]/[DBO, DONE, DM, []]/'
broken 'missing row'           4 '/- \[SM, INV, IM,/d'
broken 'lost completion'       5 's/\[IS, DATA, S, \[TAKE_DATA, SEND_DONE, COMPLETE\]\]/[IS, DATA, S, [TAKE_DATA, COMPLETE]]/'
prints 'deadlock'
prints 'home[01]: line 0x[0-9a-f]* in state DBS for agent [0-3]'
prints 'core[0-3] waits for'
broken 'unanswered put'        5 's/\[DM, PUT_OWNER, DI, \[KEEP_DATA, NO_OWNER, PUTACK_TO_REQ\]\]/[DM, PUT_OWNER, DI, [KEEP_DATA, NO_OWNER]]/'

# Any change of any row gets a verdict, never a crash: a sample of all single-row mutants.
awk -v folder="$tmp" '
    { line[NR] = $0 }
    /^cache:/ { states = "I S E M IM" } /^home:/ { states = "DI DS DM DBO DBS" } /^equivalent:/ { states = "" }
    states != "" && match($0, /^    - \[[A-Z]+, [A-Z_]+, [A-Z]+, \[/) { row[++rows] = NR; of[NR] = states }
    function write(at, text,   i, file) {
        if (mutants++ % 17) return
        file = folder "/mutant." mutants
        for (i = 1; i <= NR; i++) print (i == at ? text : line[i]) > file
        close(file)
    }
    END {
        for (r = 1; r <= rows; r++) {
            n = split(of[row[r]], next_state, " ")
            write(row[r], "")
            for (k = 1; k <= n; k++) {
                text = line[row[r]]
                sub(/, [A-Z]+, \[/, ", " next_state[k] ", [", text)
                write(row[r], text)
            }
            text = line[row[r]]
            if (sub(/\[[A-Z_]+, /, "[", text) && text != line[row[r]]) {
                text = line[row[r]]
                sub(/, \[[A-Z_]+, /, ", [", text)
                write(row[r], text)
            }
        }
    }' "$mesi"
mutants=0 noticed=0
for mutant in "$tmp"/mutant.*; do
    cp "$mutant" "$tmp/broken.yaml"
    "$LABYRINTH" run "$tmp/mix.yaml" --quiet --set agents.mix.count=2000 > "$tmp/out" 2> "$tmp/err"
    code=$?
    mutants=$((mutants + 1))
    case $code in
    0) ;;
    2|4|5) noticed=$((noticed + 1));;
    *) fail "exit code $code for a changed row:"; diff "$mesi" "$mutant"; cat "$tmp/err";;
    esac
done
echo "$mutants changed rows, $noticed noticed"
[ $mutants -gt 20 ] && [ $((noticed * 2)) -gt $mutants ] || fail "$noticed of $mutants changed rows noticed"

# ---- illegal operations of the scenario

# illegal TEXT FILE [SET...]
illegal() {
    text=$1 file=$2; shift 2
    run 3 "$tmp/$file" "$@"
    json_has '"stop": "illegal"'
    prints "$text"
}
illegal 'would sleep in atomic context (context hardirq' grant.yaml --set agents.owner.gfp=KERNEL --set agents.owner.context=irq
illegal 'would sleep in atomic context (context task'    grant.yaml --set agents.owner.gfp=KERNEL
run 0 "$tmp/grant.yaml" --set agents.owner.gfp=KERNEL --set agents.owner.context=task
illegal 'shootdown by interrupts from interrupt context' grant.yaml --set agents.owner.context=irq
run 0 "$tmp/grant.yaml" --set agents.owner.context=irq --set machine.hart.tlb_broadcast=true
# The chain of contexts and requests that led there.
illegal 'call chain: task > hardirq 15 > exclusive.grant > alloc.kernel$' grant.yaml --set agents.owner.gfp=KERNEL --set agents.owner.context=irq
cat > "$tmp/contexts.yaml" <<'YAML'
kind: experiment
title: interrupts of all kinds over allocations
machine: { base: tiny, cores: 2 }
kernel: { memory: 16MiB }
agents:
  - { name: bench, on: core0, program: page-bench, count: 300 }
  - { name: source, on: core1, program: irq-source, to: hart, hart: 0, interval: 1us, spread: 30%, handler: alloc, handler_cycles: 10cycles }
YAML
for context in hardirq softirq; do
    run 0 "$tmp/contexts.yaml" --set agents.source.context=$context
    illegal "call chain: task .*> hardirq 8 > alloc.kernel$\|call chain: task .*> softirq 0 > alloc.kernel$" contexts.yaml \
        --set agents.source.context=$context --set agents.source.gfp=KERNEL
done
run 0 "$tmp/contexts.yaml" --set agents.source.context=nmi --set agents.source.handler=compute
illegal 'alloc_pages in NMI context; call chain: task .*> NMI 8$' contexts.yaml --set agents.source.context=nmi
# A device cannot look at a lock: only the device part keeps it away.
illegal 'Promised (lock.illegal)' grant.yaml --set agents.owner.exclusive=lock
run 0 "$tmp/grant.yaml" --set 'agents.owner.exclusive=[lock, device]'
# One that declares to honour it breaks its word: a violation. The effective configuration keeps what was not declared, too.
run 4 "$tmp/grant.yaml" --set agents.owner.exclusive=lock --set agents.foreign.honours_lock=true
json_has '"kind": "lock"'
run 3 "$tmp/grant.yaml" --set agents.owner.exclusive=lock --effective "$tmp/effective.yaml"
run 3 "$tmp/effective.yaml"

# ---- no progress without a deadlock: the watchdog

cat > "$tmp/livelock.yaml" <<'YAML'
kind: experiment
title: busy with loads, and nothing gets finished for longer than the watchdog waits
machine: { base: tiny, cores: 1 }
kernel: { memory: 16MiB }
checks: { watchdog: 100us }
agents: [{ name: slow, on: core0, program: chase, footprint: 1MiB, count: 1 }]
YAML
run 5 "$tmp/livelock.yaml"
prints 'checks.watchdog'

finish
