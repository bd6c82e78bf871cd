#!/usr/bin/env bash
# Imports real receipts and compares every figure with what receipts.awk works out apart from Punkt: once
# undisturbed, once again, with the daemon killed (-9) at random moments, with the importer killed. The figures of
# the whole file must be those that came with it; for the kills 20,000 lines are enough, PUNKT_LONG=1 takes all.
# The data lies beside the checkout, or in PUNKT_DATA; without it receipts of the same shape are made up.
set -eEuo pipefail
export LC_ALL=C
name=online-retail-2010-12_2011-05
shared=${PUNKT_DATA:-$PUNKT_SOURCE/../shared/data}
long=${PUNKT_LONG:-0}
seed=${PUNKT_SEED:-$(date +%s)}
echo "PUNKT_SEED=$seed"
RANDOM=$((seed % 32768))

folder=$(mktemp -d)
csv=$folder/receipts.csv
figures=$folder/figures
log=$folder/log
fifo=$folder/fifo
daemon='' importer='' data='' address=''
map=receipt=InvoiceNo,code=StockCode,quantity=Quantity,time=InvoiceDate,price=UnitPrice,card=CustomerID

clean_up() {
    local code=$?
    [ -z "$importer" ] || kill -KILL "$importer" || true
    [ -z "$daemon" ] || kill -KILL "$daemon" || true
    [ $code = 0 ] || { echo "what punktd said:"; cat "$log"; }
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'echo "failed at line $LINENO"' ERR
: >"$log"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

expect() {
    [ "$2" = "$3" ] || fail "$1 is $3, expected $2"
}

# --- the daemon ---

# A port below those that the system hands out, so that it is still free after a kill. Not by the seed: runs of
# one second do not want the same ones.
any_port() {
    address=127.0.0.1:$((10000 + SRANDOM % 20000))
}

# Starts punktd on $data and $address and waits until it is ready. False: it ended before.
start_once() {
    local line
    exec 9< <(exec setpriv --pdeathsig KILL "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml" --data "$data" \
        --listen "$address" 2>&1 8>&-)
    daemon=$!
    while IFS= read -r -t 60 line <&9; do
        printf '%s\n' "$line" >>"$log"
        case $line in *' ready: listening on '*) return 0 ;; esac
    done
    take_leave || true
    return 1
}

start() {
    start_once || fail "punktd does not start"
}

# On a new folder. Another program may have the port, then another is tried.
start_new() {
    data=$folder/data$((++worlds))
    local tries
    for tries in 1 2 3 4 5 6 7 8; do
        any_port
        start_once && return
        echo "port $tries was not free"
    done
    fail "punktd does not start"
}

# What punktd still says, and its exit code.
take_leave() {
    local pid=$daemon
    cat <&9 >>"$log"
    exec 9<&-
    daemon=''
    if grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:|WARNING: ThreadSanitizer' "$log"; then
        fail "punktd has a fault"
    fi
    wait "$pid"
}

kill_daemon() {
    kill -KILL "$daemon"
    take_leave 2>/dev/null || true
}

stop_daemon() {
    kill -TERM "$daemon"
    take_leave || fail "a clean stop ends with $?"
}

punkt() {
    "$PUNKT_BIN/punkt" --server "$address" --json --timeout 60 "$@"
}

# --- figures ---

# The number of a key of a JSON object on a line.
number_of() {
    local rest=${2#*\""$1"\":}
    [ "$rest" != "$2" ] || fail "there is no $1 in $2"
    rest=${rest%%[,\}]*}
    printf '%s\n' "${rest// /}"
}

figure() {
    awk -v name="$1" '$1 == name { print $2 }' "$figures"
}

# Balances of the richest, the poorest and some between, as "CARD POINTS".
some_balances() {
    awk '$1 == "balance" { print $2, $3 }' "$figures" | sort -k 2n,2 -k 1n,1 >"$folder/balances"
    head -n 5 "$folder/balances"
    tail -n 10 "$folder/balances"
    awk -v seed="$RANDOM" 'BEGIN { srand(seed) } { lines[NR] = $0 }
        END { for (i = 0; i < 5; i++) print lines[1 + int(rand() * NR)] }' "$folder/balances"
}

# Everything that the ledger must hold after the file, however often and with what interruptions it came there.
check_ledger() {
    local totals card points shown key
    totals=$(punkt report totals)
    for key in accounts cards; do
        expect "$key" "$(figure members)" "$(number_of $key "$totals")"
    done
    for key in earned debt accounts_in_debt; do
        expect "$key" "$(figure $key)" "$(number_of $key "$totals")"
    done
    # Credit notes do not name their sales: what they take is told apart from returns that do.
    expect returned 0 "$(number_of returned "$totals")"
    expect unlinked "$(figure returned)" "$(number_of unlinked "$totals")"
    expect redeemed 0 "$(number_of redeemed "$totals")"
    expect adjusted 0 "$(number_of adjusted "$totals")"
    expect 'outstanding - debt' "$(figure outstanding_less_debt)" \
        $(($(number_of outstanding "$totals") - $(number_of debt "$totals")))
    while read -r card points; do
        shown=$(punkt card show "$card")
        expect "the balance of $card" "$points" \
            $(($(number_of available "$shown") - $(number_of debt "$shown")))
        expect "what is pending of $card" 0 "$(number_of pending "$shown")"
    done < <(some_balances)
}

# The counts of an import that came to its end, and how many of its receipts it met already booked ("all",
# or at least so many).
check_counts() {
    local counts=$1 replayed=$2 all key
    all=$(($(figure receipts) + $(figure returns)))
    for key in receipts returns lines skipped_lines; do
        expect "$key" "$(figure $key)" "$(number_of $key "$counts")"
    done
    expect refused 0 "$(number_of refused "$counts")"
    if [ "$replayed" = all ]; then
        expect replayed $all "$(number_of replayed "$counts")"
        expect cards_issued 0 "$(number_of cards_issued "$counts")"
    else
        [ "$(number_of replayed "$counts")" -ge "$replayed" ] || fail "only so many were replayed: $counts"
    fi
}

# State and journal agree: beside the running daemon, on the files of a stopped one, and after a rebuild.
check_files() {
    expect 'audit verify' matches "$(verified audit)"
    stop_daemon
    expect 'punktd verify' matches "$(verified files)"
    "$PUNKT_BIN/punktd" rebuild --config "$folder/punktd.yaml" --data "$data" >>"$log"
    expect 'punktd verify after a rebuild' matches "$(verified files)"
    start
    check_ledger
    expect 'audit verify after a rebuild' matches "$(verified audit)"
    stop_daemon
}

verified() {
    local report
    case $1 in
    audit) report=$(punkt audit verify) ;;
    files) report=$("$PUNKT_BIN/punktd" verify --config "$folder/punktd.yaml" --data "$data" --json) ;;
    esac
    report=${report#*\"state\":\"}
    printf '%s\n' "${report%%\"*}"
}

# --- the data ---

# Receipts like the real ones: some with many lines, one of four lines without a customer, credit notes that name
# no sale, three decimals, prices of zero, commas and quotes in names.
make_up() {
    awk -v seed="$RANDOM" -v count="$1" '
        function any(bound) { return int(rand() * bound) }
        BEGIN {
            srand(seed)
            printf "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
            for (i = 0; i < count; i++) {
                if (left == 0) {
                    receipt++
                    back = any(6) == 0
                    left = any(100) == 0 ? 300 : 1 + any(30)
                    customer = any(4) == 0 ? "" : 12000 + any(600)
                    time = sprintf("2011-%02d-%02d %02d:%02d:00", 1 + any(5), 1 + any(28), 8 + any(10), any(60))
                }
                left--
                price = any(20) == 0 ? 0 : any(4) == 0 ? any(9999) / 1000 : any(3000) / 100
                printf "%s%d,%d,%s,%d,%s,%s,%s,United Kingdom\r\n", back ? "C" : "", 536000 + receipt, \
                    20000 + any(900), any(70) ? "LANTERN" : "\"FRAME 7\"\" SIZE, RED \"", \
                    back ? -1 - any(12) : 1 + any(48), time, price, customer
            }
        }'
}

# The first lines of the file, or "all", and their figures.
prepare_data() {
    if [ -f "$shared/$name.csv.gz" ]; then
        zcat "$shared/$name.csv.gz" | awk -v max="$1" 'max == "all" || NR <= max + 1' >"$csv"
        echo "$1 lines of $name.csv.gz"
    else
        make_up 20000 >"$csv"
        echo "$(($(wc -l <"$csv") - 1)) lines made up: there is no $name.csv.gz in the folder of data"
    fi
    awk -f "$PUNKT_SOURCE/tests/integration/receipts.awk" "$csv" >"$figures"
    grep -v ^balance "$figures" | paste -sd ' '
    if [ "$1" = all ] && [ -f "$shared/$name.expected.json" ]; then
        compare_with_expected
    fi
}

# What came with the data was worked out by others; receipts.awk must say the same, and so then must the ledger.
compare_with_expected() {
    local pair key ours card points
    for pair in receipts:receipts credit_notes:returns lines:lines members:members points_awarded:earned \
        points_removed:returned points_outstanding:outstanding_less_debt members_in_debt:accounts_in_debt; do
        key=${pair%:*} ours=${pair#*:}
        expect "$key" "$(expected "$key")" "$(figure "$ours")"
    done
    expect debt_points "$(expected debt_points)" "-$(figure debt)"
    while read -r card points; do
        expect "the balance of $card" "$points" "$(awk -v card="$card" '$2 == card { print $3 }' "$figures")"
    done < <(sed -n 's/^ *"\([0-9]*\)": \(-\{0,1\}[0-9]*\),\{0,1\}$/\1 \2/p' "$shared/$name.expected.json")
    echo 'the figures are those that came with the data'
}

expected() {
    sed -n 's/^ *"'"$1"'": \(-\{0,1\}[0-9]*\),\{0,1\}$/\1/p' "$shared/$name.expected.json"
}

# --- imports ---

# Starts an import of what feed writes; what it prints is in $folder/counts and $folder/complaints.
begin_import() {
    setpriv --pdeathsig KILL "$PUNKT_BIN/punkt" --server "$address" --json import receipts - \
        --map "$map" --returns-prefix C --enrol <"$fifo" >"$folder/counts" 2>"$folder/complaints" 9<&- &
    importer=$!
    exec 8>"$fifo"
}

# Lines $1 to $2 of the file. When this returns the importer has read all but what a pipe holds, so it is amid
# its work: nothing has to be waited for.
feed() {
    sed -n "$1,$2p" "$csv" >&8
}

end_of_file() {
    exec 8>&-
}

# Its exit code.
end_import() {
    local code=0
    { wait "$importer"; } 2>/dev/null || code=$?
    importer=''
    if grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$folder/complaints"; then
        fail "the importer has a fault"
    fi
    return $code
}

# $1 random places in the file, ascending, and its end.
some_places() {
    local lines i
    lines=$(wc -l <"$csv")
    for ((i = 0; i < $1; i++)); do
        echo $((2 + (RANDOM * 32768 + RANDOM) % (lines - 2)))
    done | sort -n
    echo "$lines"
}

undisturbed() {
    local counts before after began_ms=${EPOCHREALTIME/./}
    start_new
    counts=$(punkt import receipts - --map "$map" --returns-prefix C --enrol <"$csv")
    check_counts "$counts" 0
    expect cards_issued "$(figure members)" "$(number_of cards_issued "$counts")"
    echo "imported in $(((${EPOCHREALTIME/./} - began_ms) / 1000)) ms: $counts"
    check_ledger

    before=$(punkt report totals)
    counts=$(punkt import receipts "$csv" --map "$map" --returns-prefix C --enrol)
    check_counts "$counts" all
    after=$(punkt report totals)
    expect 'what a second run changes' "${before%\"events\"*}" "${after%\"events\"*}"
    check_files
    echo 'undisturbed, and again: as expected'
}

daemon_killed() {
    local from=1 to
    start_new
    begin_import
    for to in $(some_places "$1"); do
        feed $from "$to"
        from=$((to + 1))
        kill_daemon
        start
        # Now and then it does not live for long.
        [ $((RANDOM % 4)) != 0 ] || { kill_daemon && start; }
    done
    end_of_file
    kill_daemon
    start
    end_import || fail "the import ended with $?: $(cat "$folder/complaints")"
    check_counts "$(cat "$folder/counts")" 0
    check_ledger
    check_files
    echo "daemon killed $1 times and more: as expected;" \
        "$(grep -cE '; [1-9][0-9]* events of [0-9]+ blocks were replayed' "$log" || true) starts replayed something"
}

importer_killed() {
    local to code=0
    start_new
    for to in $(some_places "$1"); do
        begin_import
        feed 1 "$to"
        kill -KILL "$importer"
        end_import || code=$?
        end_of_file
        expect 'how a killed import ends' 137 $code
    done
    # Asked politely it says how far it came.
    begin_import
    feed 1 "$to"
    kill -INT "$importer"
    code=0
    end_import || code=$?
    end_of_file
    expect 'how an interrupted import ends' 1 $code
    expect 'what an interrupted import met' 0 "$(number_of refused "$(cat "$folder/counts")")"

    check_counts "$(punkt import receipts "$csv" --map "$map" --returns-prefix C --enrol)" 1
    check_ledger
    check_files
    echo "importer killed $1 times and more: as expected"
}

both_killed() {
    local to
    start_new
    for to in $(some_places "$1"); do
        begin_import
        feed 1 "$to"
        kill_daemon
        kill -KILL "$importer"
        end_import || true
        end_of_file
        start
    done
    check_counts "$(punkt import receipts "$csv" --map "$map" --returns-prefix C --enrol)" 0
    check_ledger
    check_files
    echo "both killed $1 times: as expected"
}

# A file with a line for receipt A again, behind $1 lines of others.
line_behind() {
    echo 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
    echo 'A1,10,,1,2011-01-03 10:00:00,1.50,70001,'
    awk -v count="$1" 'BEGIN { for (i = 0; i < count; i++) print "B" int(i / 7) ",10,,1,2011-01-03 10:00:00,0.10,70002," }'
    echo 'A1,11,,1,2011-01-03 10:00:00,2.50,70001,'
}

# A receipt is complete when 1,000 further lines have not named it.
completed_receipt() {
    local code=0
    start_new
    line_behind 999 | punkt import receipts - --map "$map" --enrol >/dev/null
    expect 'what a receipt with a late line earns' 4 "$(number_of available "$(punkt card show 70001)")"
    line_behind 1000 | sed 's/^A1/A2/' |
        punkt import receipts - --map "$map" --enrol >/dev/null 2>"$folder/complaints" || code=$?
    expect 'how an import ends that has a line for a completed receipt' 1 $code
    grep -q '"error".*receipt A2 was complete' "$folder/complaints" ||
        fail "it does not name the receipt: $(cat "$folder/complaints")"
    grep -q 'line 1003' "$folder/complaints" || fail "it does not name the line: $(cat "$folder/complaints")"
    stop_daemon
    echo 'a line for a completed receipt: as expected'
}

# Half a minute without the daemon: the counts so far, and exit 6.
unreachable() {
    local code=0 lines began=$SECONDS
    lines=$(wc -l <"$csv")
    start_new
    begin_import
    feed 1 $((lines / 2))
    kill_daemon
    end_of_file
    end_import || code=$?
    expect 'how an import ends without a daemon' 6 $code
    [ $((SECONDS - began)) -ge 30 ] || fail "it gave up after $((SECONDS - began)) seconds"
    [ $((SECONDS - began)) -le 60 ] || fail "it gave up only after $((SECONDS - began)) seconds"
    [ "$(number_of receipts "$(cat "$folder/counts")")" -gt 0 ] || fail "no counts: $(cat "$folder/counts")"
    start
    check_counts "$(punkt import receipts "$csv" --map "$map" --returns-prefix C --enrol)" 1
    check_ledger
    stop_daemon
    echo 'unreachable for half a minute: as expected'
}

# Frequent checkpoints, so that kills meet them; little address space, for a thread sanitizer leaves no more.
printf 'journal:\n  segment_mib: 8\n  reserve_mib: 16\nstate:\n  map_gib: 4\n  checkpoint_ms: 50\n...\n' \
    >"$folder/punktd.yaml"
mkfifo "$fifo"
worlds=0
prepare_data all
undisturbed
if [ "$long" = 1 ]; then
    daemon_killed 30
    importer_killed 15
    both_killed 10
    unreachable
else
    prepare_data 20000
    daemon_killed 6
    importer_killed 4
    both_killed 2
fi
completed_receipt
